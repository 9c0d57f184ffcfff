// The test's side of FakeFileSystem: time, counters, failures, crashes.

#include <random>
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

void FakeFileSystem::forget_failures() {
  const std::lock_guard lock(mutex_);
  failures_.clear();
}

void FakeFileSystem::crash() {
  const std::lock_guard lock(mutex_);
  restart(durable_names_, [](const Inode& inode) { return inode.durable_data; });
}

void FakeFileSystem::crash(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  std::mt19937_64 luck(seed);
  const auto named = [](const Names& names, const std::string& path) {
    const auto found = names.find(path);
    return found == names.end() ? nullptr : found->second;
  };
  Names either = names_;
  either.insert(durable_names_.begin(), durable_names_.end());
  Names survivors;
  for (const auto& [path, unused] : either) {
    const InodePtr before = named(durable_names_, path);
    const InodePtr now = named(names_, path);
    const InodePtr chosen = luck() % 2 == 0 ? before : now;
    if (!chosen) continue;
    survivors[path] = chosen;
    // A file that is there has the folders above it.
    for (std::string folder = folder_of(path); survivors.emplace(folder, either[folder]).second;)
      folder = folder_of(folder);
  }
  restart(survivors, [&](const Inode& inode) {
    const std::size_t written = luck() % (inode.data.size() + 1);
    std::string mixed = inode.data.substr(0, written);
    // Behind what was written stands what was there before; where the file had grown already,
    // zeros.
    if (inode.durable_data.size() > written) mixed += inode.durable_data.substr(written);
    if (mixed.size() < inode.data.size() && luck() % 2 == 0) mixed.resize(inode.data.size(), '\0');
    return mixed;
  });
}

void FakeFileSystem::restart(const Names& survivors,
                             const std::function<std::string(const Inode&)>& bytes_of) {
  // Fresh inodes: what still has a file open writes to one that nobody else sees.
  std::map<const Inode*, InodePtr> fresh;
  Names names;
  for (const auto& [path, inode] : survivors) {
    InodePtr& copy = fresh[inode.get()];
    if (!copy) {
      copy = std::make_shared<Inode>(*inode);
      copy->data = copy->durable_data = bytes_of(*inode);
      copy->stat.size_bytes = copy->data.size();
    }
    names[path] = copy;
  }
  names_ = durable_names_ = std::move(names);
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
