#include "cache/materialize.h"

#include <fmt/core.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/temporary_name.h"

namespace qbuild::cache {
namespace {

// The name under which a file is prepared; removed unless it was renamed.
class Beside {
 public:
  Beside(FileSystem& file_system, const fs::path& folder)
      : file_system_(file_system), path_(folder / temporary_name()) {}
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() {
    try {
      // Also after the rename: renaming one name of an inode onto another name of it leaves both.
      file_system_.remove(path_);
    } catch (const Error&) {
      // A temporary name that stays is harmless, and this may run while another Error is in flight.
    }
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  FileSystem& file_system_;
  fs::path path_;
};

bool is_already(FileSystem& file_system, const FileStat& blob, const Content& content,
                const fs::path& to) {
  const std::optional<FileStat> there = file_system.stat(to);
  if (!there) return false;
  if (there->kind == FileStat::Kind::kDirectory)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} is a folder where a file must go; move it away", to.string()));
  if (there->device == blob.device && there->inode == blob.inode) return true;
  return there->kind == FileStat::Kind::kRegular && there->size_bytes == content.size_bytes &&
         hash_file(file_system, to) == content;
}

Materialized prepare(FileSystem& file_system, const fs::path& blob, const Content& content,
                     const fs::path& beside) {
  if (file_system.clone(blob, beside)) {
    flush_file(file_system, beside);
    return Materialized::kClone;
  }
  if (file_system.hard_link(blob, beside)) return Materialized::kHardLink;
  const Content copied = copy_file(file_system, blob, beside, content.size_bytes);
  if (copied != content)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} has the content {}, not what its name says; build again to make it",
                            blob.string(), copied.sha256.hex()));
  return Materialized::kCopy;
}

}  // namespace

Materialized materialize(FileSystem& file_system, const fs::path& blob, const Content& content,
                         const fs::path& to) {
  const std::optional<FileStat> stored = file_system.stat(blob);
  if (!stored)
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} is not in the store; build again to make it", blob.string()));
  if (stored->size_bytes != content.size_bytes)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} has {} bytes, {} were stored; build again to make it",
                            blob.string(), stored->size_bytes, content.size_bytes));
  const fs::path folder = to.has_parent_path() ? to.parent_path() : fs::path(".");
  remove_abandoned_temporaries(file_system, folder);
  if (is_already(file_system, *stored, content, to)) return Materialized::kAlreadyThere;
  ensure_folder(file_system, folder);
  return with_context(to.string(), [&] {
    const Beside beside(file_system, folder);
    const Materialized how = prepare(file_system, blob, content, beside.path());
    file_system.rename(beside.path(), to);
    file_system.flush_directory(folder);
    return how;
  });
}

}  // namespace qbuild::cache
