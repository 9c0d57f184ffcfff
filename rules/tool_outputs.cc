#include "rules/tool_outputs.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/glob.h"
#include "base/shown.h"
#include "base/temporary_name.h"
#include "cache/artifact.h"

namespace qbuild::rules {
namespace {

using engine::ProducedFile;

constexpr std::size_t kChunkBytes = 1u << 20;
constexpr std::uint32_t kOwnerReads = 0400;

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorKind::kInvalidInput, std::move(message));
}

std::string quoted(const std::string& name) {
  if (name.size() <= kMaxShownBytes) return Json(name).dump();
  return Json(name.substr(0, kMaxShownBytes)).dump() + "...";
}

class Collector {
 public:
  Collector(const fs::path& folder, std::vector<std::string>& names)
      : folder_(folder), names_(names) {}

  void collect(const fs::path& prefix, std::size_t depth) {
    if (depth > kMaxOutputDepth)
      refuse(fmt::format("the tool wrote folders more than {} deep", kMaxOutputDepth));
    std::error_code error;
    fs::permissions(folder_ / prefix, fs::perms::owner_all, fs::perm_options::add, error);
    fs::directory_iterator entry(folder_ / prefix, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
      take(prefix / entry->path().filename(), entry->symlink_status(error).type(), depth);
    if (error) throw_errno(error.value(), fmt::format("list {}", (folder_ / prefix).string()));
  }

 private:
  void take(const fs::path& name, fs::file_type type, std::size_t depth) {
    if (type == fs::file_type::directory) {
      // Folders alone cost time too.
      if (++folders_ > kMaxOutputFolders)
        refuse(fmt::format("the tool wrote more than {} folders", kMaxOutputFolders));
      collect(name, depth + 1);
      return;
    }
    if (type != fs::file_type::regular)
      refuse(fmt::format("the tool wrote {}, which is no regular file", quoted(name.string())));
    if (names_.size() == kMaxOutputFiles)
      refuse(fmt::format("the tool wrote more than {} files", kMaxOutputFiles));
    names_.push_back(name.generic_string());
  }

  const fs::path& folder_;
  std::vector<std::string>& names_;
  std::size_t folders_ = 0;
};

std::uint64_t copy_of(FileSystem& files, const fs::path& from, const fs::path& to) {
  const auto source = files.open(from);
  const auto target = files.create(to, CreateMode::kExclusive);
  std::vector<std::byte> buffer(kChunkBytes);
  std::uint64_t size_bytes = 0;
  while (const std::size_t got = source->read_at(size_bytes, buffer)) {
    target->append(Bytes(buffer).first(got));
    size_bytes += got;
  }
  target->close();
  return size_bytes;
}

// The store makes read-only what it keeps, and whoever writes to the other name would write to it.
void own(FileSystem& files, const fs::path& path, const fs::path& beside) {
  std::error_code error;
  if (fs::hard_link_count(path, error) <= 1 || error) return;
  if (!files.clone(path, beside)) static_cast<void>(copy_of(files, path, beside));
  files.rename(beside, path);
}

Digest hash_file(FileSystem& files, const fs::path& path, std::uint64_t& size_bytes) {
  const auto file = files.open(path);
  const FileStat before = file->stat();
  std::vector<std::byte> buffer(kChunkBytes);
  Sha256 hash;
  size_bytes = 0;
  while (const std::size_t got = file->read_at(size_bytes, buffer)) {
    hash.update(Bytes(buffer).first(got));
    size_bytes += got;
    if (size_bytes > before.size_bytes) break;  // it grows, perhaps for ever
  }
  if (file->stat() != before || size_bytes != before.size_bytes)
    refuse(fmt::format("{} changed while it was hashed: something still writes to it",
                       shown(path.filename().string())));
  return hash.finish();
}

void check_names(const std::vector<std::string>& names, const Json& patterns) {
  if (names.empty()) refuse("the tool exited with 0 but wrote nothing to {out}");
  const auto& list = patterns.as_array();
  for (const std::string& name : names) {
    if (!cache::is_canonical_name(name))
      refuse(fmt::format("the tool wrote a file with an unusable name: {}", quoted(name)));
    if (std::none_of(list.begin(), list.end(),
                     [&](const Json& p) { return glob_match(p.as_string(), name); }))
      refuse(fmt::format(
          "the tool wrote {}, which its outputs do not declare; add a pattern to outputs",
          quoted(name)));
  }
  for (const Json& pattern : list)
    if (std::none_of(names.begin(), names.end(),
                     [&](const auto& n) { return glob_match(pattern.as_string(), n); }))
      refuse(fmt::format("the tool wrote no file that matches its output \"{}\"",
                         pattern.as_string()));
}

}  // namespace

std::vector<ProducedFile> collect_outputs(FileSystem& files, const fs::path& folder,
                                          const Json& patterns) {
  std::vector<std::string> names;
  Collector(folder, names).collect({}, 0);
  std::sort(names.begin(), names.end());
  check_names(names, patterns);
  std::vector<ProducedFile> outputs;
  for (const std::string& name : names) {
    ProducedFile file{.name = name, .path = folder / name, .sha256 = {}, .size_bytes = 0};
    const auto stat = files.stat(file.path);
    if (stat && (stat->mode & kOwnerReads) == 0)
      files.set_mode(file.path, stat->mode | kOwnerReads);
    own(files, file.path, folder.parent_path() / temporary_name());
    file.sha256 = hash_file(files, file.path, file.size_bytes);
    outputs.push_back(std::move(file));
  }
  return outputs;
}

}  // namespace qbuild::rules
