#pragma once
// Scratch folders: tmp/<unique>/ with tmp/<unique>.lock beside it. Whoever made one holds its lock
// until the folder is gone, so a folder whose lock is free belongs to a process that died.

#include <cstdint>
#include <memory>

#include "base/file_system.h"

namespace qbuild::cache {

enum class AtEnd : std::uint8_t {
  kRemove,
  kKeep,  // with everything in it, for whoever opens it next
};

// A folder of one action's own, removed with everything in it when destroyed, unless it is told to
// stay.
class Scratch {
 public:
  // `lock` is held on `path` + ".lock"; null: something else keeps others out, and there is no such
  // file. The file system must outlive this.
  Scratch(FileSystem& file_system, fs::path path, std::unique_ptr<FileLock> lock,
          AtEnd at_end = AtEnd::kRemove);
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }
  void set_at_end(AtEnd at_end) { at_end_ = at_end; }

 private:
  FileSystem* file_system_;
  fs::path path_;  // empty after a move
  std::unique_ptr<FileLock> lock_;
  AtEnd at_end_;
};

// Makes an empty one in `folder`. Any thread, any process.
[[nodiscard]] Scratch make_scratch(FileSystem& file_system, const fs::path& folder);

// Removes the scratch folders in `folder` that no living process owns. Any process, also several.
void remove_abandoned_scratch(FileSystem& file_system, const fs::path& folder);

}  // namespace qbuild::cache
