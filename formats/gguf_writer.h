#pragma once
// Writes a GGUF file front to back: the header first, since every size is known from type and
// shape, then the tensors in the order declared. The same declarations and bytes give the same
// file.

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"
#include "formats/gguf.h"

namespace qbuild::formats {

struct GgufTensorSpec {
  std::string name;
  std::vector<std::uint64_t> shape;  // fastest dimension first
  DType dtype = DType::kF32;
};

class GgufWriter {
 public:
  // Writes header and tensor infos. `file` is empty and must outlive the writer. Throws Error
  // (kInvalidInput) for what no reader would take: duplicate or long names, more than four
  // dimensions, rows that are no whole blocks.
  GgufWriter(WritableFile& file, const GgufMetadata& metadata,
             const std::vector<GgufTensorSpec>& tensors);

  // The next bytes of the data of the tensor whose turn it is; a tensor may come in any number of
  // pieces.
  void append(Bytes bytes);
  // Every tensor was written completely; pads the last one. A bug of the caller otherwise.
  void finish();

  // Where a tensor's data begins in the file.
  [[nodiscard]] std::uint64_t offset_of(std::size_t tensor) const { return offsets_.at(tensor); }
  [[nodiscard]] std::uint64_t size_of(std::size_t tensor) const { return sizes_.at(tensor); }
  // Bytes that the finished file will have.
  [[nodiscard]] std::uint64_t total_bytes() const { return total_bytes_; }

 private:
  void pad();

  WritableFile& file_;
  std::vector<std::uint64_t> sizes_;
  std::vector<std::uint64_t> offsets_;
  std::size_t current_ = 0;
  std::uint64_t written_of_current_ = 0;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace qbuild::formats
