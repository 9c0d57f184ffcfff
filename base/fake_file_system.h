#pragma once
// A disk in memory, for tests: its clock moves only when told, calls are counted and can be made to
// fail, and crash() loses what was not flushed. Any thread may call, as on a real one.
//
// What survives crash() is what POSIX promises and no more: a file's bytes as of its last flush(),
// and the names in a folder as of its last flush_directory(). crash(seed) lets any part of the rest
// survive too, which POSIX allows just as well. Folders themselves survive at once,
// because journaling file systems write a folder's ancestors together with it. Permission bits are
// kept but not enforced; there are no symbolic links.

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace qbuild {

class FakeFileSystem final : public FileSystem {
 public:
  enum class Call : std::uint8_t {
    kStat,
    kOpen,
    kRead,
    kCreate,
    kWrite,
    kFlush,
    kClose,
    kRename,
    kRemove,
    kCreateDirectories,
    kList,
    kFlushDirectory,
    kClone,
    kHardLink,
    kSetMode,
    kLock,
  };

  explicit FakeFileSystem(std::int64_t now_ns = 1'700'000'000'000'000'000);
  ~FakeFileSystem() override;

  // ---- the test's side ----

  // Times of files changed from now on. The clock never moves by itself.
  void advance_ns(std::int64_t by_ns);
  // How often it was called so far, failures included.
  [[nodiscard]] std::uint64_t count(Call call) const;
  // The nth call of this kind from now (1 is the next) fails once with this errno, and changes
  // nothing.
  void fail(Call call, std::uint64_t nth, int error_number);
  // Failures whose call has not come do not happen any more: threads make more calls one day than
  // the other.
  void forget_failures();
  // Back to what was flushed. Open files go on for their holders, but are no longer on the disk;
  // locks are free.
  void crash();
  // The same on a disk that writes in any order: each name that was not flushed is as it was or as
  // it is, and so are the bytes of each file, of which a part may be new, as `seed` decides. What
  // was flushed is as it was flushed, or newer.
  void crash(std::uint64_t seed);
  // Both can by default.
  void set_can_clone(bool can);
  void set_can_hard_link(bool can);
  // Appending beyond it is ENOSPC.
  void set_free_bytes(std::uint64_t bytes);
  // A file that was there, flushed, before the test began; with its folders.
  void put(const fs::path& path, std::string_view bytes);
  // What a reader would see now; "" if there is no such file.
  [[nodiscard]] std::string contents(const fs::path& path) const;
  // Every file (no folders), sorted.
  [[nodiscard]] std::vector<std::string> files() const;

  // ---- FileSystem ----

  [[nodiscard]] std::optional<FileStat> stat(const fs::path& path) override;
  [[nodiscard]] std::unique_ptr<ReadableFile> open(const fs::path& path) override;
  [[nodiscard]] std::unique_ptr<WritableFile> create(const fs::path& path,
                                                     CreateMode mode) override;
  void rename(const fs::path& from, const fs::path& to) override;
  bool remove(const fs::path& path) override;
  void remove_tree(const fs::path& path) override;
  void create_directories(const fs::path& path) override;
  [[nodiscard]] std::vector<std::string> list(const fs::path& directory) override;
  void flush_directory(const fs::path& directory) override;
  [[nodiscard]] std::vector<std::optional<Error>> flush_each(
      std::span<const fs::path> paths) override;
  [[nodiscard]] bool clone(const fs::path& from, const fs::path& to) override;
  [[nodiscard]] bool hard_link(const fs::path& from, const fs::path& to) override;
  void set_mode(const fs::path& path, std::uint32_t permission_bits) override;
  [[nodiscard]] std::uint64_t free_bytes(const fs::path& path) override;
  [[nodiscard]] std::unique_ptr<FileLock> lock(const fs::path& path, LockWait wait) override;

 private:
  struct Inode {
    FileStat stat;
    std::string data;
    std::string durable_data;  // as of the last flush
  };
  class Reader;
  class Writer;
  class Lock;
  using InodePtr = std::shared_ptr<Inode>;  // shared: names and open files keep it, as on a disk
  using Names = std::map<std::string, InodePtr>;

  // Absolute, without "." and "..", without a slash at the end.
  [[nodiscard]] static std::string normalized(const fs::path& path);
  [[nodiscard]] static std::string folder_of(const std::string& path);

  // Each requires mutex_.
  void enter(Call call, const std::string& what);
  [[nodiscard]] InodePtr find(const std::string& path) const;
  [[nodiscard]] InodePtr new_inode(FileStat::Kind kind);
  void touch(Inode& inode) const;
  void touch_folder_of(const std::string& path);
  [[nodiscard]] InodePtr existing_file(const std::string& path, std::string_view operation) const;
  void require_free_place(const std::string& path, std::string_view operation) const;
  // The disk after a crash: these names, and of each file these bytes.
  void restart(const Names& survivors, const std::function<std::string(const Inode&)>& bytes_of);

  mutable std::mutex mutex_;
  std::condition_variable lock_freed_;
  std::int64_t now_ns_;
  std::uint64_t next_inode_ = 2;
  std::uint64_t free_bytes_;
  bool can_clone_ = true;
  bool can_hard_link_ = true;
  std::map<Call, std::uint64_t> counts_;
  std::map<Call, std::map<std::uint64_t, int>> failures_;  // by the number of the call
  Names names_;
  Names durable_names_;
  std::set<std::string> locked_;
};

}  // namespace qbuild
