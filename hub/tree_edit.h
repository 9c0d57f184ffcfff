#pragma once
// What a commit does to a tree, as a pure function.

#include <string>
#include <vector>

#include "hub/hub.h"

namespace qbuild::hub {

// Deletions come first, so that a folder can be replaced in one commit.
struct TreeEdit {
  std::vector<TreeEntry> put;
  std::vector<std::string> deleted_files;
  std::vector<std::string> deleted_folders;  // with or without '/' at the end
};

// The tree after the edit, sorted by path. `tree` is sorted. Throws Error that names path and
// repository: kInvalidInput for a path that no repository takes, two operations on one path, a file
// where another's folder is, a new name that differs from another only in case (half of the users'
// disks cannot hold both), too many files; kNotFound for deleting what is not there.
[[nodiscard]] std::vector<TreeEntry> apply_edit(const RepoId& repo,
                                                const std::vector<TreeEntry>& tree,
                                                const TreeEdit& edit);

}  // namespace qbuild::hub
