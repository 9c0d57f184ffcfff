#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <future>
#include <system_error>
#include <thread>

#include "base/check.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/removable.h"
#include "base/unique_fd.h"

namespace qbuild {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
// A thread costs as much as some dozens of looks.
constexpr std::size_t kStatsPerThread = 256;
constexpr std::size_t kMaxStatThreads = 8;
// Flushes wait for the disk, not for a core: also one core has that many under way.
constexpr std::size_t kMaxFlushThreads = 8;
constexpr std::size_t kFlushesPerThread = 3;
// Linux moves at most 2 GiB - 4 KiB per call; a smaller step keeps one call short.
constexpr std::size_t kMaxTransferBytes = std::size_t{1} << 30U;

[[noreturn]] void fail(std::string_view operation, const fs::path& path) {
  throw_errno(errno, fmt::format("{} {}", operation, path.string()));
}

UniqueFd open_fd(const fs::path& path, int flags, mode_t mode = 0) {
  while (true) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0 || errno != EINTR) return UniqueFd(fd);
  }
}

FileStat convert(const struct stat& from) {
  FileStat to;
  if (S_ISREG(from.st_mode)) to.kind = FileStat::Kind::kRegular;
  if (S_ISDIR(from.st_mode)) to.kind = FileStat::Kind::kDirectory;
  to.device = from.st_dev;
  to.inode = from.st_ino;
  to.size_bytes = static_cast<std::uint64_t>(from.st_size);
  to.mtime_ns = from.st_mtim.tv_sec * kNsPerSecond + from.st_mtim.tv_nsec;
  to.ctime_ns = from.st_ctim.tv_sec * kNsPerSecond + from.st_ctim.tv_nsec;
  to.mode = from.st_mode & 07777U;
  return to;
}

std::optional<FileStat> stat_of(const std::string& path) {
  struct stat from {};
  if (::stat(path.c_str(), &from) == 0) return convert(from);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  fail("stat", path);
}

// Has the system begin to write a file's bytes; how that ends is told by its flush.
void begin_flush(const fs::path& path) {
  const UniqueFd fd = open_fd(path, O_RDONLY | O_NONBLOCK);
  if (fd.valid()) ::sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

// Never tried again after a failure: the kernel reports a lost page once and then forgets it.
void flush(const fs::path& path) {
  const UniqueFd fd = open_fd(path, O_RDONLY | O_NONBLOCK);
  if (!fd.valid()) fail("open", path);
  if (::fsync(fd.get()) == 0) return;
  const int error = errno;
  struct stat now {};
  const bool is_folder = ::fstat(fd.get(), &now) == 0 && S_ISDIR(now.st_mode);
  // Some network file systems know no flush of a folder: there is nothing more to do then.
  if (is_folder && (error == EINVAL || error == EOPNOTSUPP)) return;
  throw_errno(error, fmt::format("flush {}{}", is_folder ? "folder " : "", path.string()));
}

// Calls `work(first, end)` for shares of `count` items on that many threads, this one included.
template <typename Work>
void on_threads(std::size_t count, std::size_t threads, const Work& work) {
  const std::size_t share = threads == 0 ? 0 : (count + threads - 1) / threads;
  std::vector<std::future<void>> others;
  std::size_t first = 0;
  try {
    for (; first + share < count; first += share)
      others.push_back(std::async(std::launch::async, std::cref(work), first, first + share));
  } catch (const std::system_error&) {
    // No more threads to be had: the rest is this one's.
  }
  work(first, count);
  for (std::future<void>& other : others) other.get();
}

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(UniqueFd fd, fs::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

  [[nodiscard]] std::size_t read_at(std::uint64_t offset, MutableBytes out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      const std::size_t step = std::min(out.size() - done, kMaxTransferBytes);
      const ssize_t got =
          ::pread(fd_.get(), out.data() + done, step, static_cast<off_t>(offset + done));
      if (got == 0) break;
      if (got < 0) {
        if (errno == EINTR) continue;
        fail("read", path_);
      }
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  [[nodiscard]] FileStat stat() const override {
    struct stat from {};
    if (::fstat(fd_.get(), &from) != 0) fail("stat", path_);
    return convert(from);
  }

 private:
  UniqueFd fd_;
  fs::path path_;
};

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(UniqueFd fd, fs::path path, std::uint64_t size_bytes)
      : fd_(std::move(fd)), path_(std::move(path)), size_bytes_(size_bytes) {}

  void append(Bytes bytes) override {
    check(fd_.valid(), "a closed file is not written to");
    while (!bytes.empty()) {
      const ssize_t put =
          ::write(fd_.get(), bytes.data(), std::min(bytes.size(), kMaxTransferBytes));
      if (put < 0) {
        if (errno == EINTR) continue;
        fail("write", path_);
      }
      size_bytes_ += static_cast<std::uint64_t>(put);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
  }

  void write_at(std::uint64_t offset, Bytes bytes) override {
    check(fd_.valid(), "a closed file is not written to");
    const std::optional<std::uint64_t> end = checked_add(offset, bytes.size());
    check(end.has_value() && *end <= size_bytes_, "write_at stays within what was written");
    while (!bytes.empty()) {
      const ssize_t put =
          ::pwrite(fd_.get(), bytes.data(), std::min(bytes.size(), kMaxTransferBytes),
                   static_cast<off_t>(offset));
      if (put < 0) {
        if (errno == EINTR) continue;
        fail("write", path_);
      }
      offset += static_cast<std::uint64_t>(put);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
  }

  void flush() override {
    check(fd_.valid(), "a closed file is not flushed");
    // Never tried again after a failure: the kernel reports a lost page once and then forgets it.
    if (::fsync(fd_.get()) != 0) fail("flush", path_);
  }

  void close() override {
    if (!fd_.valid()) return;
    // EINTR from close still closes on Linux.
    if (::close(fd_.release()) != 0 && errno != EINTR) fail("close", path_);
  }

 private:
  UniqueFd fd_;
  fs::path path_;
  std::uint64_t size_bytes_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  // Closing would do, if no child were just being forked with a copy of the descriptor.
  ~PosixFileLock() override { ::flock(fd_.get(), LOCK_UN); }
  PosixFileLock(const PosixFileLock&) = delete;
  PosixFileLock& operator=(const PosixFileLock&) = delete;

 private:
  UniqueFd fd_;
};

class PosixFileSystem final : public FileSystem {
 public:
  [[nodiscard]] std::optional<FileStat> stat(const fs::path& path) override {
    return stat_of(path.native());
  }

  [[nodiscard]] std::vector<std::optional<FileStat>> stat_each(
      std::span<const std::string> paths) override {
    std::vector<std::optional<FileStat>> stats(paths.size());
    const std::size_t threads = std::min<std::size_t>(
        {kMaxStatThreads, std::thread::hardware_concurrency(), 1 + paths.size() / kStatsPerThread});
    on_threads(paths.size(), threads, [&](std::size_t first, std::size_t end) {
      for (std::size_t i = first; i < end; ++i) stats[i] = stat_of(paths[i]);
    });
    return stats;
  }

  [[nodiscard]] std::unique_ptr<ReadableFile> open(const fs::path& path) override {
    // Not blocking: a named pipe in the place of a file would wait for its writer for ever.
    UniqueFd fd = open_fd(path, O_RDONLY | O_NONBLOCK);
    if (!fd.valid()) fail("open", path);
    auto file = std::make_unique<PosixReadableFile>(std::move(fd), path);
    const FileStat::Kind kind = file->stat().kind;
    if (kind == FileStat::Kind::kDirectory) {
      throw Error(ErrorKind::kInvalidInput, fmt::format("open {}: is a folder", path.string()));
    }
    if (kind == FileStat::Kind::kOther) {
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("open {}: not a regular file", path.string()));
    }
    return file;
  }

  [[nodiscard]] std::unique_ptr<WritableFile> create(const fs::path& path,
                                                     CreateMode mode) override {
    int flags = O_WRONLY | O_CREAT;
    if (mode == CreateMode::kExclusive) flags |= O_EXCL;
    if (mode == CreateMode::kTruncate) flags |= O_TRUNC;
    if (mode == CreateMode::kAppend) flags |= O_APPEND;
    UniqueFd fd = open_fd(path, flags, 0644);
    if (!fd.valid()) fail("create", path);
    struct stat now {};
    if (::fstat(fd.get(), &now) != 0) fail("stat", path);
    return std::make_unique<PosixWritableFile>(std::move(fd), path,
                                               static_cast<std::uint64_t>(now.st_size));
  }

  void rename(const fs::path& from, const fs::path& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return;
    throw_errno(errno, fmt::format("rename {} to {}", from.string(), to.string()));
  }

  bool remove(const fs::path& path) override {
    if (::unlink(path.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    fail("remove", path);
  }

  void remove_tree(const fs::path& path) override {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) {
      make_removable(path);
      fs::remove_all(path, error);
    }
    if (error) throw_errno(error.value(), fmt::format("remove {}", path.string()));
  }

  void create_directories(const fs::path& path) override {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) throw_errno(error.value(), fmt::format("create folder {}", path.string()));
  }

  [[nodiscard]] std::vector<std::string> list(const fs::path& directory) override {
    std::error_code error;
    std::vector<std::string> names;
    fs::directory_iterator entry(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error) {
      const bool missing = error.value() == ENOENT;
      if (!missing) throw_errno(error.value(), fmt::format("list {}", directory.string()));
      throw Error(ErrorKind::kNotFound, fmt::format("list {}: no such folder", directory.string()));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  void flush_directory(const fs::path& directory) override { flush(directory); }

  [[nodiscard]] std::vector<std::optional<Error>> flush_each(
      std::span<const fs::path> paths) override {
    std::vector<std::optional<Error>> errors(paths.size());
    const std::size_t threads =
        std::min(kMaxFlushThreads, (paths.size() + kFlushesPerThread - 1) / kFlushesPerThread);
    on_threads(paths.size(), threads, [&](std::size_t first, std::size_t end) {
      // Begun for all of them first: the first flush then takes the others along.
      for (std::size_t i = first; i < end; ++i) begin_flush(paths[i]);
      for (std::size_t i = first; i < end; ++i) {
        try {
          flush(paths[i]);
        } catch (const Error& error) {
          errors[i] = error;
        }
      }
    });
    return errors;
  }

  [[nodiscard]] bool clone(const fs::path& from, const fs::path& to) override {
    const UniqueFd source = open_fd(from, O_RDONLY);
    if (!source.valid()) fail("open", from);
    const UniqueFd target = open_fd(to, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (!target.valid()) fail("create", to);
    if (::ioctl(target.get(), FICLONE, source.get()) == 0) return true;
    const int error = errno;
    ::unlink(to.c_str());
    const bool cannot = error == EOPNOTSUPP || error == EXDEV || error == EINVAL ||
                        error == ENOTTY || error == ENOSYS;
    if (cannot) return false;
    throw_errno(error, fmt::format("clone {} to {}", from.string(), to.string()));
  }

  [[nodiscard]] bool hard_link(const fs::path& from, const fs::path& to) override {
    if (::link(from.c_str(), to.c_str()) == 0) return true;
    const int error = errno;
    if (error == EXDEV || error == EPERM || error == EMLINK || error == EOPNOTSUPP) return false;
    throw_errno(error, fmt::format("link {} to {}", from.string(), to.string()));
  }

  void set_mode(const fs::path& path, std::uint32_t permission_bits) override {
    if (::chmod(path.c_str(), static_cast<mode_t>(permission_bits)) != 0) fail("chmod", path);
  }

  [[nodiscard]] std::uint64_t free_bytes(const fs::path& path) override {
    struct statvfs space {};
    fs::path place = path.empty() ? fs::path(".") : path;
    // A folder that is not there yet will stand on the disk of the nearest one that is.
    while (::statvfs(place.c_str(), &space) != 0) {
      if (errno == EINTR) continue;
      const fs::path parent = place.has_parent_path() ? place.parent_path() : fs::path(".");
      if (errno != ENOENT || parent == place) fail("free space of", path);
      place = parent;
    }
    return std::uint64_t{space.f_bavail} * space.f_frsize;
  }

  [[nodiscard]] std::unique_ptr<FileLock> lock(const fs::path& path, LockWait wait) override {
    UniqueFd fd = open_fd(path, O_RDWR | O_CREAT, 0644);
    if (!fd.valid()) fail("open lock", path);
    const int operation = LOCK_EX | (wait == LockWait::kTry ? LOCK_NB : 0);
    while (::flock(fd.get(), operation) != 0) {
      if (errno == EWOULDBLOCK) return nullptr;
      if (errno != EINTR) fail("lock", path);
    }
    return std::make_unique<PosixFileLock>(std::move(fd));
  }
};

}  // namespace

std::unique_ptr<FileSystem> make_posix_file_system() {
  return std::make_unique<PosixFileSystem>();
}

}  // namespace qbuild
