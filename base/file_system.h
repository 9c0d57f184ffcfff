#pragma once
// The seam to the disk. Everything that publishes goes through it, so that a test can lose
// unflushed data, fill the disk or fail any call. Readers of formats take a ReadableFile, not a
// FileSystem: nobody is given more than it uses.
//
// Paths are given as they are; relative ones are relative to the process. Every failure is an Error
// that names operation and path ("open /x/model.gguf: permission denied"). Methods may be called
// from any thread; one file object belongs to one thread at a time, except ReadableFile::read_at.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace qbuild {

namespace fs = std::filesystem;

struct FileStat {
  enum class Kind : std::uint8_t { kRegular, kDirectory, kOther };
  Kind kind = Kind::kOther;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint32_t mode = 0;  // permission bits
  bool operator==(const FileStat&) const = default;
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Fills `out` from `offset`; returns the bytes read, fewer only at the end of the file. Any
  // thread.
  [[nodiscard]] virtual std::size_t read_at(std::uint64_t offset, MutableBytes out) const = 0;
  // Of the open file, now: a reader compares it before and after to see whether the file changed.
  [[nodiscard]] virtual FileStat stat() const = 0;
};

class WritableFile {
 public:
  // Closes without flushing and swallows failures; call close() to hear of them.
  virtual ~WritableFile() = default;
  virtual void append(Bytes bytes) = 0;
  // Overwrites within what was already written (a header that is known last).
  virtual void write_at(std::uint64_t offset, Bytes bytes) = 0;
  // To the disk itself.
  virtual void flush() = 0;
  virtual void close() = 0;
};

// Held until destroyed; released by the system when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class CreateMode : std::uint8_t {
  kExclusive,  // fails (kInvalidInput) if the file exists
  kTruncate,
  kAppend,  // creates if absent
};

enum class LockWait : std::uint8_t { kBlock, kTry };

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Follows links. Nothing if there is no such file; other failures throw.
  [[nodiscard]] virtual std::optional<FileStat> stat(const fs::path& path) = 0;
  // The same of many, in their order. Where there are thousands, the real one asks on more than one
  // thread: a system answers one thread one at a time, and this is all that a null build does.
  [[nodiscard]] virtual std::vector<std::optional<FileStat>> stat_each(
      std::span<const std::string> paths);
  [[nodiscard]] virtual std::unique_ptr<ReadableFile> open(const fs::path& path) = 0;
  // permission bits 0644 less the umask.
  [[nodiscard]] virtual std::unique_ptr<WritableFile> create(const fs::path& path,
                                                             CreateMode mode) = 0;
  // Replaces `to` atomically.
  virtual void rename(const fs::path& from, const fs::path& to) = 0;
  // A file. False if it was not there.
  virtual bool remove(const fs::path& path) = 0;
  // A folder with everything in it; not there is fine. Links are removed, not followed.
  virtual void remove_tree(const fs::path& path) = 0;
  virtual void create_directories(const fs::path& path) = 0;
  // Names in a folder (no paths), sorted by bytes. kNotFound if there is no such folder.
  [[nodiscard]] virtual std::vector<std::string> list(const fs::path& directory) = 0;
  // After renames and removals: makes the names in `directory` durable.
  virtual void flush_directory(const fs::path& directory) = 0;
  // Makes durable what is in each of these files, whoever wrote it, and which names are in each of
  // these folders. Together, because a disk takes many in the time of a few. In their order: what
  // went wrong with each, if anything; never tried again, for a system reports a loss once.
  [[nodiscard]] virtual std::vector<std::optional<Error>> flush_each(
      std::span<const fs::path> paths) = 0;
  // Both: false if this file system or pair of paths cannot; `to` must not exist.
  [[nodiscard]] virtual bool clone(const fs::path& from, const fs::path& to) = 0;  // reflink
  [[nodiscard]] virtual bool hard_link(const fs::path& from,
                                       const fs::path& to) = 0;  // second name
  virtual void set_mode(const fs::path& path, std::uint32_t permission_bits) = 0;
  [[nodiscard]] virtual std::uint64_t free_bytes(const fs::path& path) = 0;
  // An advisory lock between processes on `path`, which is created if absent. kTry: null if taken.
  [[nodiscard]] virtual std::unique_ptr<FileLock> lock(const fs::path& path, LockWait wait) = 0;
};

// The real one.
[[nodiscard]] std::unique_ptr<FileSystem> make_posix_file_system();

// Whole files, for small ones.
//   max_bytes  larger files are refused (kExhausted) before anything is allocated
[[nodiscard]] std::string read_file(FileSystem& file_system, const fs::path& path,
                                    std::uint64_t max_bytes);
// read_at that must fill `out`: kCorrupt "... ends at byte N, M were expected" otherwise.
void read_exactly(const ReadableFile& file, std::uint64_t offset, MutableBytes out);

// Writes `bytes` beside `path`, flushes, renames, flushes the folder: afterwards `path` is the old
// file or the new one, also after a crash. Creates missing folders.
void publish_file(FileSystem& file_system, const fs::path& path, Bytes bytes);

}  // namespace qbuild
