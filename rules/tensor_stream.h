#pragma once
// One tensor after the other from a checkpoint into a GGUF's types: read in slabs of rows, brought
// into the GGUF's row order, made floats, encoded, handed on. Memory is bounded by the slab, but
// for tensors whose rows are permuted, which are read one head at a time.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "formats/checkpoint.h"
#include "kernels/backend.h"
#include "kernels/effort.h"

namespace qbuild::rules {

struct StreamedTensor {
  const formats::CheckpointTensor* source = nullptr;
  std::string name;                  // in the GGUF
  std::vector<std::uint64_t> shape;  // fastest dimension first
  DType type = DType::kF32;          // in the GGUF
  std::uint64_t permuted_head_dim =
      0;  // rows of each head are interleaved for the rotation; 0: as they are

  [[nodiscard]] std::uint64_t row_length() const { return shape.front(); }
  [[nodiscard]] std::uint64_t values() const {
    std::uint64_t count = 1;
    for (const std::uint64_t extent : shape) count *= extent;
    return count;
  }
};

class TensorStream {
 public:
  struct Encoding {
    kernels::Backend backend;
    kernels::Effort effort;
  };
  // Checkpoint and pool must outlive the stream.
  TensorStream(const formats::Checkpoint& checkpoint, Encoding encoding, ThreadPool& pool);

  // Calls `emit` with the encoded bytes in order; they stay as they are until the next call
  // has returned, so that one piece can be written while the next is made. Throws what codec and
  // checkpoint throw, with the tensor's name: "tensor blk.0.attn_q.weight (model.layers.0...):
  // ..."; kCorrupt for a shape that holds no values.
  void convert(const StreamedTensor& tensor, const std::function<void(Bytes encoded)>& emit);

 private:
  void convert_slab(const StreamedTensor& tensor, std::uint64_t first_row, std::uint64_t rows,
                    const std::function<void(Bytes)>& emit);

  const formats::Checkpoint& checkpoint_;
  Encoding encoding_;
  ThreadPool& pool_;
  std::vector<std::byte> stored_;
  std::vector<std::byte> ordered_;
  std::vector<float> values_;
  std::array<std::vector<std::byte>, 2> encoded_;  // in turn
  std::size_t turn_ = 0;
};

}  // namespace qbuild::rules
