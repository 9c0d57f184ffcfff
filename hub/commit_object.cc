#include "hub/commit_object.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/json.h"
#include "base/shown.h"
#include "hub/git_attributes.h"

namespace qbuild::hub {
namespace {

constexpr std::size_t kCommitMembers = 5;
constexpr std::size_t kEntryMembers = 5;

[[noreturn]] void corrupt(std::string_view id, std::string_view why) {
  throw Error(ErrorKind::kCorrupt, fmt::format("commit {}: {}", shown(id), why));
}

std::string header() {
  return fmt::format("qbuild-commit {}\n", kCommitVersion);
}

Json to_json(const TreeEntry& entry) {
  check(entry.sha256.has_value(), "a directory hub knows the digest of every file");
  return Json::object({{"path", Json(entry.path)},
                       {"size", Json(entry.size_bytes)},
                       {"git_sha1", Json(entry.git_sha1)},
                       {"sha256", Json(entry.sha256->hex())},
                       {"storage", Json(storage_name(entry.storage))}});
}

TreeEntry entry_from_json(const Json& json) {
  if (json.as_object().size() != kEntryMembers)
    throw Error(ErrorKind::kCorrupt, "a file has a member too many or too few");
  TreeEntry entry;
  entry.path = json.at("path").as_string();
  if (const auto problem = path_problem(entry.path))
    throw Error(ErrorKind::kCorrupt, fmt::format("\"{}\" is a path that no repository has: {}",
                                                 shown(entry.path), *problem));
  entry.size_bytes = with_context(fmt::format("the size of \"{}\"", shown(entry.path)),
                                  [&] { return json.at("size").as_uint(); });
  entry.git_sha1 = json.at("git_sha1").as_string();
  entry.sha256 = Digest::from_hex(json.at("sha256").as_string());
  if (!is_commit_id(entry.git_sha1) || !entry.sha256)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the digests of \"{}\" are none", shown(entry.path)));
  const std::string& storage = json.at("storage").as_string();
  if (storage != storage_name(Storage::kRegular) && storage != storage_name(Storage::kLfs))
    throw Error(ErrorKind::kCorrupt,
                fmt::format("\"{}\" has an unknown storage", shown(entry.path)));
  entry.storage = storage == storage_name(Storage::kLfs) ? Storage::kLfs : Storage::kRegular;
  return entry;
}

// No working folder could hold a file where another's folder is. `tree` is sorted.
void refuse_file_as_folder(const std::vector<TreeEntry>& tree) {
  const auto before = [](const TreeEntry& entry, std::string_view path) {
    return entry.path < path;
  };
  for (const TreeEntry& entry : tree) {
    const std::string_view path = entry.path;
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
      const std::string_view folder = path.substr(0, slash);
      const auto at = std::lower_bound(tree.begin(), tree.end(), folder, before);
      if (at != tree.end() && at->path == folder)
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("\"{}\" is a file and the folder of another", shown(folder)));
    }
  }
}

CommitObject from_json(const Json& json) {
  if (json.as_object().size() != kCommitMembers)
    throw Error(ErrorKind::kCorrupt, "it has a member too many or too few");
  CommitObject commit;
  commit.parent = json.at("parent").as_string();
  if (!commit.parent.empty() && !is_commit_id(commit.parent))
    throw Error(ErrorKind::kCorrupt, "its parent is no commit id");
  commit.message = json.at("message").as_string();
  commit.author = json.at("author").as_string();
  commit.unix_seconds = with_context("time", [&] { return json.at("time").as_int(); });
  const Json::Array& tree = json.at("tree").as_array();
  if (tree.size() > kMaxTreeFiles)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("it has {} files, more than the {} that one may have", tree.size(),
                            kMaxTreeFiles));
  commit.tree.reserve(tree.size());
  for (const Json& file : tree) {
    TreeEntry entry = entry_from_json(file);
    if (!commit.tree.empty() && !(commit.tree.back().path < entry.path))
      throw Error(ErrorKind::kCorrupt, "its files are not in order");
    commit.tree.push_back(std::move(entry));
  }
  refuse_file_as_folder(commit.tree);
  return commit;
}

}  // namespace

std::string_view storage_name(Storage storage) {
  return storage == Storage::kLfs ? "lfs" : "regular";
}

std::string serialize(const CommitObject& commit) {
  Json tree = Json::array();
  for (const TreeEntry& entry : commit.tree) tree.push_back(to_json(entry));
  const Json json = Json::object({{"parent", Json(commit.parent)},
                                  {"message", Json(commit.message)},
                                  {"author", Json(commit.author)},
                                  {"time", Json(commit.unix_seconds)},
                                  {"tree", std::move(tree)}});
  return header() + json.dump() + "\n";
}

std::string commit_id(std::string_view serialized) {
  return sha1_hex(as_bytes(serialized));
}

CommitObject parse_commit(std::string_view id, std::string_view bytes) {
  if (bytes.size() > kMaxCommitBytes)
    corrupt(id, fmt::format("{} bytes are more than a commit can have", bytes.size()));
  const std::string start = header();
  if (bytes.substr(0, start.size()) != start)
    corrupt(id, fmt::format("it does not begin with \"qbuild-commit {}\"", kCommitVersion));
  if (commit_id(bytes) != id) corrupt(id, "its content does not hash to its name");
  CommitObject commit;
  try {
    commit = from_json(Json::parse(bytes.substr(start.size())));
  } catch (const Error& error) {
    corrupt(id, error.message());
  }
  // One content has one id: spaces that JSON allows would give it another.
  if (serialize(commit) != bytes) corrupt(id, "it is not written as a hub writes it");
  return commit;
}

CommitInfo info_of(std::string_view id, const CommitObject& commit) {
  return {.id = std::string(id),
          .parent = commit.parent,
          .message = commit.message,
          .author = commit.author,
          .unix_seconds = commit.unix_seconds};
}

TreeEntry regular_entry(std::string path, std::string_view bytes) {
  return {.path = std::move(path),
          .size_bytes = bytes.size(),
          .git_sha1 = git_blob_sha1(as_bytes(bytes)),
          .sha256 = sha256(bytes),
          .storage = Storage::kRegular};
}

TreeEntry lfs_entry(std::string path, const Digest& sha256, std::uint64_t size_bytes) {
  return {.path = std::move(path),
          .size_bytes = size_bytes,
          .git_sha1 = git_blob_sha1(as_bytes(lfs_pointer(sha256, size_bytes))),
          .sha256 = sha256,
          .storage = Storage::kLfs};
}

}  // namespace qbuild::hub
