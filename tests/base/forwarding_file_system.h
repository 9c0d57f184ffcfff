#pragma once
// A file system that passes every call on: what tests derive from to step in at some of them.

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace qbuild {

class ForwardingFileSystem : public FileSystem {
 public:
  enum class Kind : std::uint8_t { kLook, kChange };  // of a call: whether the disk is as before

  explicit ForwardingFileSystem(FileSystem& disk) : disk_(disk) {}

  std::optional<FileStat> stat(const fs::path& path) override { return on(Kind::kLook).stat(path); }
  std::unique_ptr<ReadableFile> open(const fs::path& path) override {
    return on(Kind::kLook).open(path);
  }
  std::unique_ptr<WritableFile> create(const fs::path& path, CreateMode mode) override {
    return on(Kind::kChange).create(path, mode);
  }
  void rename(const fs::path& from, const fs::path& to) override {
    on(Kind::kChange).rename(from, to);
  }
  bool remove(const fs::path& path) override { return on(Kind::kChange).remove(path); }
  void remove_tree(const fs::path& path) override { on(Kind::kChange).remove_tree(path); }
  void create_directories(const fs::path& path) override {
    on(Kind::kChange).create_directories(path);
  }
  std::vector<std::string> list(const fs::path& path) override {
    return on(Kind::kLook).list(path);
  }
  void flush_directory(const fs::path& path) override { on(Kind::kChange).flush_directory(path); }
  // One by one, so that a test can step in between.
  std::vector<std::optional<Error>> flush_each(std::span<const fs::path> paths) override {
    std::vector<std::optional<Error>> errors;
    for (const fs::path& path : paths) {
      try {
        errors.push_back(on(Kind::kChange).flush_each({&path, 1}).front());
      } catch (const Error& error) {
        errors.emplace_back(error);
      }
    }
    return errors;
  }
  bool clone(const fs::path& from, const fs::path& to) override {
    return on(Kind::kChange).clone(from, to);
  }
  bool hard_link(const fs::path& from, const fs::path& to) override {
    return on(Kind::kChange).hard_link(from, to);
  }
  void set_mode(const fs::path& path, std::uint32_t bits) override {
    on(Kind::kChange).set_mode(path, bits);
  }
  std::uint64_t free_bytes(const fs::path& path) override {
    return on(Kind::kLook).free_bytes(path);
  }
  std::unique_ptr<FileLock> lock(const fs::path& path, LockWait wait) override {
    return on(Kind::kChange).lock(path, wait);
  }

 protected:
  // Called before each call; throws what the call is to fail with.
  virtual void before(Kind /*kind*/) {}

 private:
  FileSystem& on(Kind kind) {
    before(kind);
    return disk_;
  }

  FileSystem& disk_;
};

}  // namespace qbuild
