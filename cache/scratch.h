#pragma once
// Scratch folders: tmp/<unique>/ with tmp/<unique>.lock beside it. Whoever made one holds its lock
// until the folder is gone, so a folder whose lock is free belongs to a process that died.

#include <memory>

#include "base/file_system.h"

namespace qbuild::cache {

// A folder of one action's own, removed with everything in it when destroyed.
class Scratch {
 public:
  // `lock` is held on `path` + ".lock". The file system must outlive this.
  Scratch(FileSystem& file_system, fs::path path, std::unique_ptr<FileLock> lock);
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  FileSystem* file_system_;
  fs::path path_;  // empty after a move
  std::unique_ptr<FileLock> lock_;
};

// Makes an empty one in `folder`. Any thread, any process.
[[nodiscard]] Scratch make_scratch(FileSystem& file_system, const fs::path& folder);

// Removes the scratch folders in `folder` that no living process owns. Any process, also several.
void remove_abandoned_scratch(FileSystem& file_system, const fs::path& folder);

}  // namespace qbuild::cache
