#pragma once
// The codecs of one backend. They take raw pointers because their files are compiled for one
// instruction set and must not instantiate anything that others share. kernels/codec.cc checks what
// these require.

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "kernels/backend.h"
#include "kernels/effort.h"

namespace qbuild::kernels {

// Blocks to encode.
struct EncodeJob {
  const float* values;  // finite and within Codec::largest
  std::size_t blocks;
  const float* importance;  // one per value, positive and at most 2; null if all are alike
  Effort effort;
  std::uint8_t* out;
  std::size_t following = 0;  // values that lie behind these; the next job has them
};

struct CodecTable {
  // The index of the first value that is NaN or whose magnitude is not below `bound`; count if
  // there is none.
  std::size_t (*first_beyond)(const float* values, std::size_t count, float bound);
  void (*encode)(DType dtype, const EncodeJob& job);
  void (*decode)(DType dtype, const std::uint8_t* from, std::size_t blocks, float* out);
};

[[nodiscard]] const CodecTable& codec_table(Backend backend);

// One per backend, each in its own file.
[[nodiscard]] const CodecTable& codec_table_scalar();
[[nodiscard]] const CodecTable& codec_table_avx2();
[[nodiscard]] const CodecTable& codec_table_avx512();

}  // namespace qbuild::kernels
