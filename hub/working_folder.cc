#include "hub/working_folder.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/temporary_name.h"
#include "hub/directory_layout.h"

namespace qbuild::hub {
namespace {

constexpr std::int64_t kStateVersion = 1;  // history: 1 first
constexpr std::uint64_t kMaxStateBytes = 64u << 20;

struct Placed {
  Digest sha256;
  std::uint64_t size_bytes = 0;
  std::int64_t inode = 0;  // as signed: JSON integers are, and only equality is asked
  std::int64_t mtime_ns = 0;
  bool operator==(const Placed&) const = default;
};
using State = std::map<std::string, Placed>;

Placed placed(const Digest& sha256, const FileStat& stat) {
  return {.sha256 = sha256,
          .size_bytes = stat.size_bytes,
          .inode = static_cast<std::int64_t>(stat.inode),
          .mtime_ns = stat.mtime_ns};
}

bool is_untouched(FileSystem& file_system, const fs::path& path, const Placed& was) {
  const std::optional<FileStat> now = file_system.stat(path);
  return now && now->kind == FileStat::Kind::kRegular && now->size_bytes == was.size_bytes &&
         static_cast<std::int64_t>(now->inode) == was.inode && now->mtime_ns == was.mtime_ns;
}

State parse_state(const Json& json) {
  State state;
  if (json.at("format").as_int() != kStateVersion) return state;
  for (const Json& file : json.at("files").as_array()) {
    const std::string& path = file.at("path").as_string();
    const std::optional<Digest> sha256 = Digest::from_hex(file.at("sha256").as_string());
    if (path_problem(path) || !sha256) return {};
    state.emplace(path, Placed{.sha256 = *sha256,
                               .size_bytes = file.at("size").as_uint(),
                               .inode = file.at("inode").as_int(),
                               .mtime_ns = file.at("mtime_ns").as_int()});
  }
  return state;
}

// Nothing known if it is absent or damaged: then every file is put again, and nothing is removed.
State read_state(FileSystem& file_system, const fs::path& path) {
  if (!file_system.stat(path)) return {};
  const std::string text = read_file(file_system, path, kMaxStateBytes);
  try {
    return parse_state(Json::parse(text));
  } catch (const Error&) {
    return {};
  }
}

void write_state(FileSystem& file_system, const fs::path& path, const State& state) {
  Json files = Json::array();
  for (const auto& [name, file] : state)
    files.push_back(Json::object({{"path", Json(name)},
                                  {"sha256", Json(file.sha256.hex())},
                                  {"size", Json(file.size_bytes)},
                                  {"inode", Json(file.inode)},
                                  {"mtime_ns", Json(file.mtime_ns)}}));
  const Json json = Json::object({{"format", Json(kStateVersion)}, {"files", std::move(files)}});
  publish_file(file_system, path, as_bytes(json.dump_pretty()));
}

// What an earlier call that died was writing. Nobody else writes here: the caller holds the lock.
void remove_temporaries(FileSystem& file_system, const fs::path& folder) {
  for (const std::string& name : file_system.list(folder))
    if (is_temporary_name(name)) file_system.remove(folder / name);
}

void remove_file_and_empty_folders(FileSystem& file_system, const fs::path& folder,
                                   const std::string& path) {
  file_system.remove(folder / path);
  for (fs::path parent = fs::path(path).parent_path(); !parent.empty();
       parent = parent.parent_path()) {
    if (!file_system.stat(folder / parent) || !file_system.list(folder / parent).empty()) return;
    file_system.remove_tree(folder / parent);
  }
}

Placed put(FileSystem& file_system, const Blobs& blobs, const fs::path& folder,
           const TreeEntry& entry) {
  const fs::path to = folder / entry.path;
  const fs::path beside = folder / temporary_name();
  file_system.create_directories(to.parent_path());
  blobs.place({.sha256 = *entry.sha256, .size_bytes = entry.size_bytes}, beside);
  file_system.rename(beside, to);
  // Renaming one name of a file onto another name of it leaves both.
  file_system.remove(beside);
  const std::optional<FileStat> now = file_system.stat(to);
  if (!now) throw Error(ErrorKind::kTransient, to.string() + " was removed while it was put there");
  return placed(*entry.sha256, *now);
}

}  // namespace

void refresh_working_folder(FileSystem& file_system, const Blobs& blobs,
                            const WorkingFolder& working, const std::vector<TreeEntry>& tree) {
  const State before = read_state(file_system, working.state_file);
  file_system.create_directories(working.folder);
  remove_temporaries(file_system, working.folder);
  std::set<std::string_view> wanted;
  for (const TreeEntry& entry : tree) wanted.insert(entry.path);
  // First the removals: a file may have become a folder.
  for (const auto& [path, was] : before) {
    if (wanted.count(path) == 0 && is_untouched(file_system, working.folder / path, was))
      remove_file_and_empty_folders(file_system, working.folder, path);
  }
  State after;
  std::set<fs::path> changed_folders;
  for (const TreeEntry& entry : tree) {
    const auto was = before.find(entry.path);
    const fs::path path = working.folder / entry.path;
    if (was != before.end() && was->second.sha256 == *entry.sha256 &&
        is_untouched(file_system, path, was->second)) {
      after.emplace(entry.path, was->second);
      continue;
    }
    after.emplace(entry.path, put(file_system, blobs, working.folder, entry));
    changed_folders.insert(path.parent_path());
  }
  // Before the state, and whoever was told that all is done, says that they are there.
  for (const fs::path& folder : changed_folders) file_system.flush_directory(folder);
  if (after != before) write_state(file_system, working.state_file, after);
}

}  // namespace qbuild::hub
