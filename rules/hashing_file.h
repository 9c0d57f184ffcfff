#pragma once
// A file that is hashed while it is written, so that its name in the store costs no second reading.

#include <memory>

#include "base/digest.h"
#include "base/file_system.h"

namespace qbuild::rules {

class HashingFile final : public WritableFile {
 public:
  explicit HashingFile(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}

  void append(Bytes bytes) override {
    file_->append(bytes);
    hash_.update(bytes);
    size_bytes_ += bytes.size();
  }
  // What was hashed cannot be taken back.
  void write_at(std::uint64_t offset, Bytes bytes) override;
  void flush() override { file_->flush(); }
  void close() override { file_->close(); }

  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
  // Once, after the last append.
  [[nodiscard]] Digest finish() { return hash_.finish(); }

 private:
  std::unique_ptr<WritableFile> file_;
  Sha256 hash_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace qbuild::rules
