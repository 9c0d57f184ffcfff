#include "base/fake_file_system.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace qbuild {
namespace {

constexpr std::uint64_t kDevice = 1;
constexpr std::uint64_t kDefaultFreeBytes = std::uint64_t{1} << 40U;

bool is_inside(const std::string& path, const std::string& folder) {
  const std::string prefix = folder == "/" ? folder : folder + "/";
  return path.size() > prefix.size() && path.compare(0, prefix.size(), prefix) == 0;
}

}  // namespace

class FakeFileSystem::Reader final : public ReadableFile {
 public:
  Reader(FakeFileSystem& disk, InodePtr inode, std::string path)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)) {}

  [[nodiscard]] std::size_t read_at(std::uint64_t offset, MutableBytes out) const override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.enter(Call::kRead, "read " + path_);
    const std::string& data = inode_->data;
    if (offset >= data.size() || out.empty()) return 0;
    const std::size_t length =
        std::min<std::size_t>(out.size(), data.size() - static_cast<std::size_t>(offset));
    std::memcpy(out.data(), data.data() + offset, length);
    return length;
  }

  [[nodiscard]] FileStat stat() const override {
    const std::lock_guard lock(disk_.mutex_);
    return inode_->stat;
  }

 private:
  FakeFileSystem& disk_;
  InodePtr inode_;
  std::string path_;
};

class FakeFileSystem::Writer final : public WritableFile {
 public:
  Writer(FakeFileSystem& disk, InodePtr inode, std::string path)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)) {}

  void append(Bytes bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.enter(Call::kWrite, "write " + path_);
    check(open_, "a closed file is not written to");
    if (bytes.size() > disk_.free_bytes_) throw_errno(ENOSPC, "write " + path_);
    disk_.free_bytes_ -= bytes.size();
    inode_->data.append(as_text(bytes));
    inode_->stat.size_bytes = inode_->data.size();
    disk_.touch(*inode_);
  }

  void write_at(std::uint64_t offset, Bytes bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.enter(Call::kWrite, "write " + path_);
    check(open_, "a closed file is not written to");
    const std::optional<std::uint64_t> end = checked_add(offset, bytes.size());
    check(end.has_value() && *end <= inode_->data.size(), "write_at stays within what was written");
    inode_->data.replace(static_cast<std::size_t>(offset), bytes.size(), as_text(bytes));
    disk_.touch(*inode_);
  }

  void flush() override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.enter(Call::kFlush, "flush " + path_);
    check(open_, "a closed file is not flushed");
    inode_->durable_data = inode_->data;
  }

  void close() override {
    const std::lock_guard lock(disk_.mutex_);
    if (!std::exchange(open_, false)) return;
    disk_.enter(Call::kClose, "close " + path_);
  }

 private:
  FakeFileSystem& disk_;
  InodePtr inode_;
  std::string path_;
  bool open_ = true;
};

class FakeFileSystem::Lock final : public FileLock {
 public:
  Lock(FakeFileSystem& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  ~Lock() override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.locked_.erase(path_);
    disk_.lock_freed_.notify_all();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  FakeFileSystem& disk_;
  std::string path_;
};

FakeFileSystem::FakeFileSystem(std::int64_t now_ns)
    : now_ns_(now_ns), free_bytes_(kDefaultFreeBytes) {
  names_["/"] = new_inode(FileStat::Kind::kDirectory);
  durable_names_ = names_;
}

FakeFileSystem::~FakeFileSystem() = default;

std::string FakeFileSystem::normalized(const fs::path& path) {
  std::string text = (fs::path("/") / path).lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string FakeFileSystem::folder_of(const std::string& path) {
  return fs::path(path).parent_path().string();
}

std::optional<FileStat> FakeFileSystem::stat(const fs::path& path) {
  const std::string name = normalized(path);
  const std::lock_guard lock(mutex_);
  enter(Call::kStat, "stat " + name);
  const InodePtr inode = find(name);
  if (!inode) return std::nullopt;
  return inode->stat;
}

std::unique_ptr<ReadableFile> FakeFileSystem::open(const fs::path& path) {
  const std::string name = normalized(path);
  const std::lock_guard lock(mutex_);
  enter(Call::kOpen, "open " + name);
  return std::make_unique<Reader>(*this, existing_file(name, "open"), name);
}

std::unique_ptr<WritableFile> FakeFileSystem::create(const fs::path& path, CreateMode mode) {
  const std::string name = normalized(path);
  const std::lock_guard lock(mutex_);
  enter(Call::kCreate, "create " + name);
  InodePtr inode = find(name);
  if (!inode || mode == CreateMode::kExclusive) {
    require_free_place(name, "create");
    inode = names_[name] = new_inode(FileStat::Kind::kRegular);
    touch_folder_of(name);
  }
  inode = existing_file(name, "create");
  if (mode == CreateMode::kTruncate) {
    inode->data.clear();
    inode->stat.size_bytes = 0;
    touch(*inode);
  }
  return std::make_unique<Writer>(*this, inode, name);
}

void FakeFileSystem::rename(const fs::path& from, const fs::path& to) {
  const std::string old_name = normalized(from);
  const std::string new_name = normalized(to);
  const std::string what = fmt::format("rename {} to {}", old_name, new_name);
  const std::lock_guard lock(mutex_);
  enter(Call::kRename, what);
  const InodePtr inode = find(old_name);
  if (!inode || !find(folder_of(new_name))) throw_errno(ENOENT, what);
  if (old_name == new_name) return;
  if (const InodePtr target = find(new_name)) {
    const bool target_is_folder = target->stat.kind == FileStat::Kind::kDirectory;
    const bool folder = inode->stat.kind == FileStat::Kind::kDirectory;
    if (target_is_folder != folder) throw_errno(target_is_folder ? EISDIR : ENOTDIR, what);
  }
  // A folder takes along what is in it.
  Names moved;
  for (auto entry = names_.begin(); entry != names_.end();) {
    if (entry->first == old_name || is_inside(entry->first, old_name)) {
      moved[new_name + entry->first.substr(old_name.size())] = entry->second;
      entry = names_.erase(entry);
    } else {
      ++entry;
    }
  }
  for (auto& [name, moved_inode] : moved) names_[name] = moved_inode;
  inode->stat.ctime_ns = now_ns_;
  touch_folder_of(old_name);
  touch_folder_of(new_name);
}

bool FakeFileSystem::remove(const fs::path& path) {
  const std::string name = normalized(path);
  const std::lock_guard lock(mutex_);
  enter(Call::kRemove, "remove " + name);
  if (!find(name)) return false;
  static_cast<void>(existing_file(name, "remove"));
  names_.erase(name);
  touch_folder_of(name);
  return true;
}

void FakeFileSystem::remove_tree(const fs::path& path) {
  const std::string name = normalized(path);
  const std::lock_guard lock(mutex_);
  enter(Call::kRemove, "remove " + name);
  std::erase_if(names_, [&](const Names::value_type& entry) {
    return entry.first == name || is_inside(entry.first, name);
  });
  touch_folder_of(name);
}

void FakeFileSystem::create_directories(const fs::path& path) {
  const std::string name = normalized(path);
  const std::lock_guard lock(mutex_);
  enter(Call::kCreateDirectories, "create folder " + name);
  for (std::string folder = name;; folder = folder_of(folder)) {
    const InodePtr inode = find(folder);
    if (!inode) {
      names_[folder] = durable_names_[folder] = new_inode(FileStat::Kind::kDirectory);
      continue;
    }
    if (inode->stat.kind == FileStat::Kind::kDirectory) return;
    std::erase_if(names_, [&](const auto& entry) { return is_inside(entry.first, folder); });
    std::erase_if(durable_names_,
                  [&](const auto& entry) { return is_inside(entry.first, folder); });
    throw_errno(ENOTDIR, "create folder " + name);
  }
}

std::vector<std::string> FakeFileSystem::list(const fs::path& directory) {
  const std::string name = normalized(directory);
  const std::lock_guard lock(mutex_);
  enter(Call::kList, "list " + name);
  const InodePtr inode = find(name);
  if (!inode) throw Error(ErrorKind::kNotFound, "list " + name + ": no such folder");
  if (inode->stat.kind != FileStat::Kind::kDirectory) throw_errno(ENOTDIR, "list " + name);
  std::vector<std::string> names;
  for (const auto& [path, unused] : names_) {
    if (path != name && folder_of(path) == name)
      names.push_back(fs::path(path).filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void FakeFileSystem::flush_directory(const fs::path& directory) {
  const std::string name = normalized(directory);
  const std::lock_guard lock(mutex_);
  enter(Call::kFlushDirectory, "flush folder " + name);
  if (!find(name)) throw_errno(ENOENT, "open folder " + name);
  std::erase_if(durable_names_, [&](const Names::value_type& entry) {
    return entry.first != name && folder_of(entry.first) == name && !names_.contains(entry.first);
  });
  for (const auto& [path, inode] : names_) {
    if (path != name && folder_of(path) == name) durable_names_[path] = inode;
  }
}

std::vector<std::optional<Error>> FakeFileSystem::flush_each(std::span<const fs::path> paths) {
  std::vector<std::optional<Error>> errors;
  for (const fs::path& path : paths) {
    errors.emplace_back();
    try {
      const std::optional<FileStat> found = stat(path);
      if (found && found->kind == FileStat::Kind::kDirectory) {
        flush_directory(path);
        continue;
      }
      const std::string name = normalized(path);
      const std::lock_guard lock(mutex_);
      enter(Call::kFlush, "flush " + name);
      const InodePtr inode = existing_file(name, "open");
      inode->durable_data = inode->data;
    } catch (const Error& error) {
      errors.back() = error;
    }
  }
  return errors;
}

bool FakeFileSystem::clone(const fs::path& from, const fs::path& to) {
  const std::string source = normalized(from);
  const std::string target = normalized(to);
  const std::lock_guard lock(mutex_);
  enter(Call::kClone, fmt::format("clone {} to {}", source, target));
  const InodePtr original = existing_file(source, "open");
  require_free_place(target, "create");
  if (!can_clone_) return false;
  const InodePtr copy = names_[target] = new_inode(FileStat::Kind::kRegular);
  copy->data = original->data;
  copy->stat.size_bytes = copy->data.size();
  touch_folder_of(target);
  return true;
}

bool FakeFileSystem::hard_link(const fs::path& from, const fs::path& to) {
  const std::string source = normalized(from);
  const std::string target = normalized(to);
  const std::lock_guard lock(mutex_);
  const std::string what = fmt::format("link {} to {}", source, target);
  enter(Call::kHardLink, what);
  const InodePtr inode = find(source);
  if (!inode) throw_errno(ENOENT, what);
  require_free_place(target, "link");
  if (!can_hard_link_ || inode->stat.kind != FileStat::Kind::kRegular) return false;
  names_[target] = inode;
  inode->stat.ctime_ns = now_ns_;
  touch_folder_of(target);
  return true;
}

void FakeFileSystem::set_mode(const fs::path& path, std::uint32_t permission_bits) {
  const std::string name = normalized(path);
  const std::lock_guard lock(mutex_);
  enter(Call::kSetMode, "chmod " + name);
  const InodePtr inode = find(name);
  if (!inode) throw_errno(ENOENT, "chmod " + name);
  inode->stat.mode = permission_bits;
  inode->stat.ctime_ns = now_ns_;
}

std::uint64_t FakeFileSystem::free_bytes(const fs::path& /*path*/) {
  const std::lock_guard lock(mutex_);
  return free_bytes_;
}

std::unique_ptr<FileLock> FakeFileSystem::lock(const fs::path& path, LockWait wait) {
  const std::string name = normalized(path);
  std::unique_lock lock(mutex_);
  enter(Call::kLock, "lock " + name);
  if (!find(name)) {
    require_free_place(name, "open lock");
    names_[name] = new_inode(FileStat::Kind::kRegular);
  }
  if (wait == LockWait::kTry && locked_.contains(name)) return nullptr;
  lock_freed_.wait(lock, [&] { return !locked_.contains(name); });
  locked_.insert(name);
  return std::make_unique<Lock>(*this, name);
}

void FakeFileSystem::enter(Call call, const std::string& what) {
  const std::uint64_t number = ++counts_[call];
  std::map<std::uint64_t, int>& planned = failures_[call];
  const auto failure = planned.find(number);
  if (failure == planned.end()) return;
  const int error_number = failure->second;
  planned.erase(failure);
  throw_errno(error_number, what);
}

FakeFileSystem::InodePtr FakeFileSystem::find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

FakeFileSystem::InodePtr FakeFileSystem::new_inode(FileStat::Kind kind) {
  InodePtr inode = std::make_shared<Inode>();
  inode->stat.kind = kind;
  inode->stat.device = kDevice;
  inode->stat.inode = next_inode_++;
  inode->stat.mode = kind == FileStat::Kind::kDirectory ? 0755 : 0644;
  touch(*inode);
  return inode;
}

void FakeFileSystem::touch(Inode& inode) const {
  inode.stat.mtime_ns = now_ns_;
  inode.stat.ctime_ns = now_ns_;
}

void FakeFileSystem::touch_folder_of(const std::string& path) {
  if (const InodePtr folder = find(folder_of(path))) touch(*folder);
}

FakeFileSystem::InodePtr FakeFileSystem::existing_file(const std::string& path,
                                                       std::string_view operation) const {
  InodePtr inode = find(path);
  if (!inode) throw_errno(ENOENT, fmt::format("{} {}", operation, path));
  if (inode->stat.kind != FileStat::Kind::kRegular) {
    throw_errno(EISDIR, fmt::format("{} {}", operation, path));
  }
  return inode;
}

void FakeFileSystem::require_free_place(const std::string& path, std::string_view operation) const {
  if (find(path)) throw_errno(EEXIST, fmt::format("{} {}", operation, path));
  const InodePtr folder = find(folder_of(path));
  if (!folder) throw_errno(ENOENT, fmt::format("{} {}", operation, path));
  if (folder->stat.kind != FileStat::Kind::kDirectory) {
    throw_errno(ENOTDIR, fmt::format("{} {}", operation, path));
  }
}

}  // namespace qbuild
