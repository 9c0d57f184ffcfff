#include "rules/tool_outputs.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/glob.h"
#include "base/shown.h"
#include "base/temporary_name.h"
#include "cache/artifact.h"
#include "cache/content.h"

namespace qbuild::rules {
namespace {

using engine::ProducedFile;

constexpr std::uint32_t kOwnerReads = 0400;

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorKind::kInvalidInput, std::move(message));
}

std::string quoted(const std::string& name) {
  return fmt::format("\"{}\"", shown(name));
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

// The store makes read-only what it keeps, and whoever writes to the other name would write to it.
void own(FileSystem& files, const fs::path& path, const fs::path& beside,
         std::uint64_t size_bytes) {
  std::error_code error;
  if (fs::hard_link_count(path, error) <= 1 || error) return;
  if (!files.clone(path, beside))
    static_cast<void>(cache::copy_file(files, path, beside, size_bytes));
  files.rename(beside, path);
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
    fs::path path = folder / name;
    const auto stat = files.stat(path);
    if (stat && (stat->mode & kOwnerReads) == 0) files.set_mode(path, stat->mode | kOwnerReads);
    if (stat) own(files, path, folder.parent_path() / temporary_name(), stat->size_bytes);
    const auto content = cache::hash_unchanged_file(files, path);
    if (!content)
      refuse(fmt::format("{} changed while it was hashed: something still writes to it",
                         shown(path.filename().string())));
    outputs.push_back({.name = name,
                       .path = std::move(path),
                       .sha256 = content->sha256,
                       .size_bytes = content->size_bytes});
  }
  return outputs;
}

}  // namespace qbuild::rules
