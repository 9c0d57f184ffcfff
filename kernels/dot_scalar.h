#pragma once
// The dot product of one packed row with one token in plain code.

#include <cstddef>
#include <cstdint>

#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

// Where the halves of a block have a scale each.
inline float dot_2x16_scalar(const WideBlock2x16* w, const DotBlock32* x, std::size_t blocks) {
  float acc = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    for (std::size_t half = 0; half < 2; ++half) {
      std::int32_t sum = 0;
      for (std::size_t i = 16 * half; i < 16 * half + 16; ++i) sum += w[b].codes[i] * x[b].q[i];
      acc += w[b].scales[half] * x[b].scale * static_cast<float>(sum);
    }
  }
  return acc;
}

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
  const auto* x = static_cast<const DotBlock32*>(activations);
  if (kind == PackedKind::kNVFP4)
    return dot_2x16_scalar(static_cast<const WideBlock2x16*>(weights), x, blocks);
  const auto* w = static_cast<const WideBlock32*>(weights);
  for (std::size_t b = 0; b < blocks; ++b) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < 32; ++i) sum += (w[b].codes[i] - offset) * x[b].q[i];
    acc += w[b].scale * x[b].scale * static_cast<float>(sum) + w[b].minimum * x[b].scaled_sum;
  }
  return acc;
}

}  // namespace qbuild::kernels
