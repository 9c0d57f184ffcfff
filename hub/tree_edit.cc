#include "hub/tree_edit.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/shown.h"
#include "hub/commit_object.h"

namespace qbuild::hub {
namespace {

using TreeByPath = std::map<std::string, TreeEntry, std::less<>>;

[[noreturn]] void refuse(ErrorKind kind, const RepoId& repo, std::string_view path,
                         std::string_view why) {
  throw Error(kind, fmt::format("path \"{}\" in {}: {}", shown(path), repo.text(), why));
}

std::string without_slash(std::string_view folder) {
  if (!folder.empty() && folder.back() == '/') folder.remove_suffix(1);
  return std::string(folder);
}

// Every name in a tree, files and the folders on the way to them, as a disk that ignores case sees
// them.
class Names {
 public:
  explicit Names(const RepoId& repo) : repo_(repo) {}

  // Of a file that was there before: whatever it collides with was accepted then.
  void add_old(std::string_view path) {
    visit(path, [](const Name&, const Name&) {});
  }
  void add_new(std::string_view path) {
    visit(path, [&](const Name& there, const Name& added) {
      if (there.spelling != added.spelling)
        refuse(ErrorKind::kInvalidInput, repo_, path,
               fmt::format("\"{}\" differs from \"{}\" only in case", shown(added.spelling),
                           shown(there.spelling)));
      if (there.is_file != added.is_file)
        refuse(ErrorKind::kInvalidInput, repo_, path,
               fmt::format("\"{}\" would be a file and a folder", shown(added.spelling)));
    });
  }

 private:
  struct Name {
    std::string spelling;
    bool is_file = false;
  };

  template <typename Collide>
  void visit(std::string_view path, Collide&& collide) {
    for (std::size_t slash = 0; slash != std::string_view::npos;) {
      slash = path.find('/', slash + 1);
      const Name name{.spelling = std::string(path.substr(0, slash)),
                      .is_file = slash == std::string_view::npos};
      const auto [at, inserted] = names_.emplace(folded(name.spelling), name);
      if (!inserted) collide(at->second, name);
    }
  }

  const RepoId& repo_;
  std::map<std::string, Name> names_;
};

void require_one_operation_each(const RepoId& repo, const TreeEdit& edit) {
  std::set<std::string> seen;
  const auto add = [&](const std::string& path) {
    require_path(repo, path);
    if (!seen.insert(path).second)
      refuse(ErrorKind::kInvalidInput, repo, path, "two operations of one commit name it");
  };
  for (const TreeEntry& entry : edit.put) add(entry.path);
  for (const std::string& path : edit.deleted_files) add(path);
  for (const std::string& path : edit.deleted_folders) add(without_slash(path));
}

void delete_folder(const RepoId& repo, const std::string& folder, TreeByPath& files) {
  const std::string start = folder + "/";
  const auto begin = files.lower_bound(start);
  auto end = begin;
  while (end != files.end() && end->first.compare(0, start.size(), start) == 0) ++end;
  if (begin == end) refuse(ErrorKind::kNotFound, repo, folder, "there is no such folder to delete");
  files.erase(begin, end);
}

}  // namespace

std::vector<TreeEntry> apply_edit(const RepoId& repo, const std::vector<TreeEntry>& tree,
                                  const TreeEdit& edit) {
  require_one_operation_each(repo, edit);
  TreeByPath files;
  for (const TreeEntry& entry : tree) files.emplace_hint(files.end(), entry.path, entry);
  for (const std::string& path : edit.deleted_files) {
    if (files.erase(path) == 0)
      refuse(ErrorKind::kNotFound, repo, path, "there is no such file to delete");
  }
  for (const std::string& folder : edit.deleted_folders)
    delete_folder(repo, without_slash(folder), files);

  Names names(repo);
  std::vector<const TreeEntry*> added;
  for (const TreeEntry& entry : edit.put) {
    if (files.count(entry.path) == 0) added.push_back(&entry);
    files.insert_or_assign(entry.path, entry);
  }
  std::set<std::string_view> added_paths;
  for (const TreeEntry* entry : added) added_paths.insert(entry->path);
  for (const auto& [path, entry] : files) {
    if (added_paths.count(path) == 0) names.add_old(path);
  }
  for (const TreeEntry* entry : added) names.add_new(entry->path);

  if (files.size() > kMaxTreeFiles)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} would have {} files, more than the {} that a repository may have",
                            repo.text(), files.size(), kMaxTreeFiles));
  std::vector<TreeEntry> result;
  result.reserve(files.size());
  for (auto& [path, entry] : files) result.push_back(std::move(entry));
  return result;
}

}  // namespace qbuild::hub
