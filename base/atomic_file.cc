#include "base/atomic_file.h"

#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/temporary_name.h"

namespace qbuild {
namespace {

fs::path folder_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

}  // namespace

AtomicFile::AtomicFile(FileSystem& file_system, fs::path path)
    : file_system_(file_system),
      path_(std::move(path)),
      temporary_(path_.parent_path() / temporary_name()) {
  check(path_.has_filename(), "an atomic file has a name");
  file_system_.create_directories(folder_of(path_));
  remove_abandoned_temporaries(file_system_, folder_of(path_));
  file_ = file_system_.create(temporary_, CreateMode::kExclusive);
}

AtomicFile::~AtomicFile() {
  if (temporary_.empty()) return;
  try {
    file_.reset();
    file_system_.remove(temporary_);
  } catch (const Error&) {
    // It is removed with what dead processes leave, once this one has ended.
  }
}

void AtomicFile::commit() {
  check(!temporary_.empty(), "an atomic file is committed once");
  file_->flush();
  file_->close();
  file_system_.rename(temporary_, path_);
  temporary_.clear();
  file_system_.flush_directory(folder_of(path_));
}

}  // namespace qbuild
