#pragma once
// A file system whose power fails: the nth call and every later one throws, destructors' calls
// included, so that nothing tidies up behind the crash. What was flushed by then is up to the disk
// below. Any thread may call.

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"

namespace qbuild {

class PowerCut final : public FileSystem {
 public:
  enum class Counted : std::uint8_t {
    kAll,
    kChanges,  // calls that leave the disk as it is do not count, but fail afterwards like any
  };
  // calls_left: how many calls still work.
  PowerCut(FileSystem& disk, std::uint64_t calls_left, Counted counted = Counted::kAll)
      : disk_(disk), calls_left_(static_cast<std::int64_t>(calls_left)), counted_(counted) {}
  [[nodiscard]] bool happened() const { return happened_; }

  std::optional<FileStat> stat(const fs::path& path) override { return look().stat(path); }
  std::unique_ptr<ReadableFile> open(const fs::path& path) override { return look().open(path); }
  std::unique_ptr<WritableFile> create(const fs::path& path, CreateMode mode) override {
    return std::make_unique<File>(*this, step().create(path, mode));
  }
  void rename(const fs::path& from, const fs::path& to) override { step().rename(from, to); }
  bool remove(const fs::path& path) override { return step().remove(path); }
  void remove_tree(const fs::path& path) override { step().remove_tree(path); }
  void create_directories(const fs::path& path) override { step().create_directories(path); }
  std::vector<std::string> list(const fs::path& path) override { return look().list(path); }
  void flush_directory(const fs::path& path) override { step().flush_directory(path); }
  bool clone(const fs::path& from, const fs::path& to) override { return step().clone(from, to); }
  bool hard_link(const fs::path& from, const fs::path& to) override {
    return step().hard_link(from, to);
  }
  void set_mode(const fs::path& path, std::uint32_t bits) override { step().set_mode(path, bits); }
  std::uint64_t free_bytes(const fs::path& path) override { return look().free_bytes(path); }
  std::unique_ptr<FileLock> lock(const fs::path& path, LockWait wait) override {
    return step().lock(path, wait);
  }

 private:
  class File final : public WritableFile {
   public:
    File(PowerCut& owner, std::unique_ptr<WritableFile> file)
        : owner_(owner), file_(std::move(file)) {}
    void append(Bytes bytes) override {
      owner_.step();
      file_->append(bytes);
    }
    void write_at(std::uint64_t offset, Bytes bytes) override {
      owner_.step();
      file_->write_at(offset, bytes);
    }
    void flush() override {
      owner_.step();
      file_->flush();
    }
    void close() override {
      owner_.step();
      file_->close();
    }

   private:
    PowerCut& owner_;
    std::unique_ptr<WritableFile> file_;
  };

  FileSystem& step() {
    // Below zero it stays below for all calls that there can be.
    if (calls_left_.fetch_sub(1) <= 0) {
      happened_ = true;
      throw Error(ErrorKind::kTransient, "the power failed");
    }
    return disk_;
  }
  FileSystem& look() {
    if (counted_ == Counted::kAll) return step();
    if (happened_) throw Error(ErrorKind::kTransient, "the power failed");
    return disk_;
  }

  FileSystem& disk_;
  std::atomic<std::int64_t> calls_left_;
  Counted counted_;
  std::atomic<bool> happened_ = false;
};

}  // namespace qbuild
