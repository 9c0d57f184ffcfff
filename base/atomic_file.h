#pragma once
// A file that appears whole or not at all: written beside its final place under a .tmp name; only
// commit() publishes (flush, rename, flush the folder), the destructor discards.

#include <memory>

#include "base/file_system.h"

namespace qbuild {

class AtomicFile {
 public:
  // Creates missing folders. `file_system` must outlive this.
  AtomicFile(FileSystem& file_system, fs::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  [[nodiscard]] WritableFile& file() { return *file_; }
  [[nodiscard]] const fs::path& temporary_path() const { return temporary_; }
  // At most once; afterwards file() is closed.
  void commit();

 private:
  FileSystem& file_system_;
  fs::path path_;
  fs::path temporary_;
  std::unique_ptr<WritableFile> file_;
};

}  // namespace qbuild
