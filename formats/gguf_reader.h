#pragma once
// Reads a GGUF file's header, checked as llama.cpp checks it (docs/gguf.md), and its tensors in
// pieces.

#include <memory>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "formats/gguf.h"

namespace qbuild::formats {

class GgufReader {
 public:
  // Versions 2 and 3. Throws Error: kNotFound and kDenied of the disk, kInvalidInput for a Git LFS
  // pointer, kUnsupported for a version or a tensor type that nothing here reads, kExhausted for a
  // header beyond the bounds, kCorrupt for the rest; messages begin with the path and name the
  // place.
  [[nodiscard]] static GgufReader open(FileSystem& file_system, const fs::path& path);

  [[nodiscard]] const GgufMetadata& metadata() const { return metadata_; }
  [[nodiscard]] const std::vector<GgufTensor>& tensors() const {
    return tensors_;
  }  // in the file's order
  [[nodiscard]] const GgufTensor* find(std::string_view name) const;
  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }

  // Fills `out` with bytes of a tensor from `offset`. kCorrupt if the file was cut off since it was
  // opened. Any thread.
  void read(const GgufTensor& tensor, std::uint64_t offset, MutableBytes out) const;

 private:
  void index_names();

  fs::path path_;
  std::unique_ptr<ReadableFile> file_;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::vector<std::uint32_t> by_name_;  // indices of tensors_
  std::uint64_t file_bytes_ = 0;
};

// The first bytes say that it is a GGUF.
[[nodiscard]] bool is_gguf(const ReadableFile& file);

}  // namespace qbuild::formats
