#pragma once
// The dot product of one packed row with one token in plain code.

#include <cstddef>
#include <cstdint>

#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

inline float dot_packed_scalar(PackedKind kind, const void* weights, const void* activations,
                               std::size_t blocks) {
  const int offset = code_offset(kind);
  float acc = 0;
  if (has_wide_blocks(kind)) {
    const auto* w = static_cast<const WideBlock256*>(weights);
    const auto* x = static_cast<const DotBlock256*>(activations);
    for (std::size_t b = 0; b < blocks; ++b) {
      std::int32_t sum = 0;
      std::int32_t minimum = 0;
      for (std::size_t i = 0; i < 256; ++i) {
        sum += w[b].scales[i / 16] * ((w[b].codes[i] - offset) * x[b].q[i]);
      }
      for (std::size_t i = 0; i < 16; ++i) minimum += w[b].minimums[i] * x[b].sums[i];
      acc += w[b].scale * x[b].scale * static_cast<float>(sum) -
             w[b].minimum * x[b].scale * static_cast<float>(minimum);
    }
    return acc;
  }
  const auto* w = static_cast<const WideBlock32*>(weights);
  const auto* x = static_cast<const DotBlock32*>(activations);
  for (std::size_t b = 0; b < blocks; ++b) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < 32; ++i) sum += (w[b].codes[i] - offset) * x[b].q[i];
    acc += w[b].scale * x[b].scale * static_cast<float>(sum) + w[b].minimum * x[b].scaled_sum;
  }
  return acc;
}

}  // namespace qbuild::kernels
