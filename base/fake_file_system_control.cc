// The test's side of FakeFileSystem: time, counters, failures, crashes.

#include <utility>

#include "base/check.h"
#include "base/fake_file_system.h"

namespace qbuild {

void FakeFileSystem::advance_ns(std::int64_t by_ns) {
  const std::lock_guard lock(mutex_);
  now_ns_ += by_ns;
}

std::uint64_t FakeFileSystem::count(Call call) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(call);
  return found == counts_.end() ? 0 : found->second;
}

void FakeFileSystem::fail(Call call, std::uint64_t nth, int error_number) {
  const std::lock_guard lock(mutex_);
  check(nth >= 1, "the next call is the first");
  failures_[call][counts_[call] + nth] = error_number;
}

void FakeFileSystem::crash() {
  const std::lock_guard lock(mutex_);
  // Fresh inodes: what still has a file open writes to one that nobody else sees.
  std::map<const Inode*, InodePtr> fresh;
  for (auto& [path, inode] : durable_names_) {
    InodePtr& copy = fresh[inode.get()];
    if (!copy) {
      copy = std::make_shared<Inode>(*inode);
      copy->data = copy->durable_data;
      copy->stat.size_bytes = copy->data.size();
    }
    inode = copy;
  }
  names_ = durable_names_;
  locked_.clear();
  lock_freed_.notify_all();
}

void FakeFileSystem::set_can_clone(bool can) {
  const std::lock_guard lock(mutex_);
  can_clone_ = can;
}

void FakeFileSystem::set_can_hard_link(bool can) {
  const std::lock_guard lock(mutex_);
  can_hard_link_ = can;
}

void FakeFileSystem::set_free_bytes(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  free_bytes_ = bytes;
}

void FakeFileSystem::put(const fs::path& path, std::string_view bytes) {
  const std::string name = normalized(path);
  const std::lock_guard lock(mutex_);
  for (std::string folder = folder_of(name); !names_.contains(folder); folder = folder_of(folder)) {
    names_[folder] = durable_names_[folder] = new_inode(FileStat::Kind::kDirectory);
  }
  const InodePtr inode = new_inode(FileStat::Kind::kRegular);
  inode->data = bytes;
  inode->durable_data = bytes;
  inode->stat.size_bytes = bytes.size();
  names_[name] = durable_names_[name] = inode;
}

std::string FakeFileSystem::contents(const fs::path& path) const {
  const std::lock_guard lock(mutex_);
  const InodePtr inode = find(normalized(path));
  return inode ? inode->data : "";
}

std::vector<std::string> FakeFileSystem::files() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, inode] : names_) {
    if (inode->stat.kind == FileStat::Kind::kRegular) paths.push_back(path);
  }
  return paths;
}

}  // namespace qbuild
