#include "cache/scratch.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "cache/content.h"

namespace qbuild::cache {
namespace {

constexpr std::string_view kLockSuffix = ".lock";
// Held while one is made and while the folder is listed: whatever a sweep sees was made whole, so a
// free lock can only be that of a dead owner, never of one that is about to take it.
constexpr std::string_view kGuardName = "guard";

fs::path lock_path(const fs::path& scratch) {
  return scratch.parent_path() / (scratch.filename().string() + std::string(kLockSuffix));
}

std::set<std::string> scratch_names(FileSystem& file_system, const fs::path& folder) {
  const std::unique_ptr<FileLock> guard = file_system.lock(folder / kGuardName, LockWait::kBlock);
  std::set<std::string> names;
  for (std::string name : file_system.list(folder)) {
    if (name == kGuardName) continue;
    if (name.size() > kLockSuffix.size() &&
        name.substr(name.size() - kLockSuffix.size()) == kLockSuffix)
      name.resize(name.size() - kLockSuffix.size());
    names.insert(std::move(name));
  }
  return names;
}

}  // namespace

Scratch::Scratch(FileSystem& file_system, fs::path path, std::unique_ptr<FileLock> lock,
                 AtEnd at_end)
    : file_system_(&file_system), path_(std::move(path)), lock_(std::move(lock)), at_end_(at_end) {}

Scratch::Scratch(Scratch&& other) noexcept
    : file_system_(other.file_system_),
      path_(std::move(other.path_)),
      lock_(std::move(other.lock_)),
      at_end_(other.at_end_) {
  other.path_.clear();
}

Scratch::~Scratch() {
  if (path_.empty() || at_end_ == AtEnd::kKeep) return;
  try {
    file_system_->remove_tree(path_);
    if (lock_ != nullptr) file_system_->remove(lock_path(path_));
  } catch (const Error&) {
    // What stays is abandoned: the next engine that starts removes it.
  }
}

Scratch make_scratch(FileSystem& file_system, const fs::path& folder) {
  ensure_folder(file_system, folder);
  const std::unique_ptr<FileLock> guard = file_system.lock(folder / kGuardName, LockWait::kBlock);
  const fs::path path = folder / unique_name();
  std::unique_ptr<FileLock> lock = file_system.lock(lock_path(path), LockWait::kBlock);
  file_system.create_directories(path);
  return Scratch(file_system, path, std::move(lock));
}

void remove_abandoned_scratch(FileSystem& file_system, const fs::path& folder) {
  if (!file_system.stat(folder)) return;
  for (const std::string& name : scratch_names(file_system, folder)) {
    const fs::path path = folder / name;
    const std::unique_ptr<FileLock> lock = file_system.lock(lock_path(path), LockWait::kTry);
    if (lock == nullptr) continue;
    file_system.remove_tree(path);
    file_system.remove(lock_path(path));
  }
}

}  // namespace qbuild::cache
