#pragma once
// A file system whose power fails: the nth call and every later one throws, destructors' calls
// included, so that nothing tidies up behind the crash. What was flushed by then is up to the disk
// below. Any thread may call.

#include <atomic>
#include <memory>
#include <utility>

#include "base/error.h"
#include "tests/base/forwarding_file_system.h"

namespace qbuild {

class PowerCut final : public ForwardingFileSystem {
 public:
  enum class Counted : std::uint8_t {
    kAll,
    kChanges,  // calls that leave the disk as it is do not count, but fail afterwards like any
  };
  // calls_left: how many calls still work.
  PowerCut(FileSystem& disk, std::uint64_t calls_left, Counted counted = Counted::kAll)
      : ForwardingFileSystem(disk),
        calls_left_(static_cast<std::int64_t>(calls_left)),
        counted_(counted) {}
  [[nodiscard]] bool happened() const { return happened_; }

  std::unique_ptr<WritableFile> create(const fs::path& path, CreateMode mode) override {
    return std::make_unique<File>(*this, ForwardingFileSystem::create(path, mode));
  }

 private:
  class File final : public WritableFile {
   public:
    File(PowerCut& owner, std::unique_ptr<WritableFile> file)
        : owner_(owner), file_(std::move(file)) {}
    void append(Bytes bytes) override {
      owner_.before(Kind::kChange);
      file_->append(bytes);
    }
    void write_at(std::uint64_t offset, Bytes bytes) override {
      owner_.before(Kind::kChange);
      file_->write_at(offset, bytes);
    }
    void flush() override {
      owner_.before(Kind::kChange);
      file_->flush();
    }
    void close() override {
      owner_.before(Kind::kChange);
      file_->close();
    }

   private:
    PowerCut& owner_;
    std::unique_ptr<WritableFile> file_;
  };

  void before(Kind kind) override {
    const bool counts = counted_ == Counted::kAll || kind == Kind::kChange;
    if (counts && calls_left_.fetch_sub(1) <= 0) happened_ = true;
    if (happened_) throw Error(ErrorKind::kTransient, "the power failed");
  }

  std::atomic<std::int64_t> calls_left_;  // below zero after the cut
  const Counted counted_;
  std::atomic<bool> happened_ = false;
};

}  // namespace qbuild
