#pragma once
// The codecs of one backend. They take raw pointers because their files are compiled for one
// instruction set and must not instantiate anything that others share. kernels/codec.cc checks what
// these require.

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "kernels/backend.h"

namespace qbuild::kernels {

struct CodecTable {
  // The index of the first value that is NaN or whose magnitude is not below `bound`; count if
  // there is none.
  std::size_t (*first_beyond)(const float* values, std::size_t count, float bound);
  // `blocks` blocks of dtype; values are finite and within Codec::largest.
  void (*encode)(DType dtype, const float* values, std::size_t blocks, std::uint8_t* out);
  void (*decode)(DType dtype, const std::uint8_t* from, std::size_t blocks, float* out);
};

[[nodiscard]] const CodecTable& codec_table(Backend backend);

// One per backend, each in its own file.
[[nodiscard]] const CodecTable& codec_table_scalar();
[[nodiscard]] const CodecTable& codec_table_avx2();
[[nodiscard]] const CodecTable& codec_table_avx512();

}  // namespace qbuild::kernels
