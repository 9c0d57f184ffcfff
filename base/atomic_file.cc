#include "base/atomic_file.h"

#include <fmt/core.h>

#include <cstdint>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace qbuild {
namespace {

// Random, because writers of one path may be threads, processes or machines.
fs::path temporary_name(const fs::path& path) {
  std::random_device random;
  const std::uint64_t suffix = (std::uint64_t{random()} << 32U) | random();
  return path.parent_path() / fmt::format("{}.{:016x}.tmp", path.filename().string(), suffix);
}

fs::path folder_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

}  // namespace

AtomicFile::AtomicFile(FileSystem& file_system, fs::path path)
    : file_system_(file_system), path_(std::move(path)), temporary_(temporary_name(path_)) {
  check(path_.has_filename(), "an atomic file has a name");
  file_system_.create_directories(folder_of(path_));
  file_ = file_system_.create(temporary_, CreateMode::kExclusive);
}

AtomicFile::~AtomicFile() {
  if (temporary_.empty()) return;
  try {
    file_.reset();
    file_system_.remove(temporary_);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): a left-over .tmp is what gc looks for
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
