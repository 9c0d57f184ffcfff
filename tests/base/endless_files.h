#pragma once
// A disk on which every file that is opened grows as fast as it is read.

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/base/forwarding_file_system.h"

namespace qbuild {

class EndlessFiles final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

  std::unique_ptr<ReadableFile> open(const fs::path& path) override {
    return std::make_unique<Endless>(ForwardingFileSystem::open(path));
  }

 private:
  class Endless final : public ReadableFile {
   public:
    explicit Endless(std::unique_ptr<ReadableFile> beginning) : beginning_(std::move(beginning)) {}
    [[nodiscard]] std::size_t read_at(std::uint64_t /*offset*/, MutableBytes out) const override {
      std::fill(out.begin(), out.end(), std::byte{'x'});
      return out.size();
    }
    [[nodiscard]] FileStat stat() const override { return beginning_->stat(); }

   private:
    std::unique_ptr<ReadableFile> beginning_;
  };
};

}  // namespace qbuild
