#pragma once
// The products in plain code: the definition that the vector backends equal bit for bit.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

inline void multiply_f32_scalar(const F32Tile& tile) {
  for (std::size_t r = 0; r < tile.outputs; ++r) {
    const float* row = tile.weights + static_cast<std::ptrdiff_t>(r) * tile.row_stride;
    float total[16] = {};
    for (std::size_t begin = 0; begin < tile.columns; begin += kChain) {
      const std::size_t end = begin + kChain < tile.columns ? begin + kChain : tile.columns;
      float chain[16] = {};
      for (std::size_t k = begin; k < end; ++k) {
        const float w = row[static_cast<std::ptrdiff_t>(k) * tile.column_stride];
        for (std::size_t l = 0; l < 16; ++l) {
          chain[l] = std::fma(w, tile.activations[16 * k + l], chain[l]);
        }
      }
      for (std::size_t l = 0; l < 16; ++l) total[l] += chain[l];
    }
    for (std::size_t l = 0; l < 16; ++l) tile.out[16 * r + l] = total[l];
  }
}

// One output and one lane of a product with blocks of 32.
inline float multiply_32_scalar(PackedKind kind, const WideBlock32* w, const LaneBlock32* x,
                                std::size_t blocks, std::size_t lane) {
  const int offset = code_offset(kind);
  float acc = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < 32; ++i)
      sum += (w[b].codes[i] - offset) * x[b].q[i / 4][lane][i % 4];
    acc = std::fma(static_cast<float>(sum), w[b].scale * x[b].scale[lane], acc);
    if (has_minimum(kind)) acc = std::fma(w[b].minimum, x[b].scaled_sum[lane], acc);
  }
  return acc;
}

// The same where the halves of a block have a scale each.
inline float multiply_2x16_scalar(const WideBlock2x16* w, const LaneBlock32* x, std::size_t blocks,
                                  std::size_t lane) {
  float acc = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    for (std::size_t half = 0; half < 2; ++half) {
      std::int32_t sum = 0;
      for (std::size_t i = 16 * half; i < 16 * half + 16; ++i)
        sum += w[b].codes[i] * x[b].q[i / 4][lane][i % 4];
      acc = std::fma(static_cast<float>(sum), w[b].scales[half] * x[b].scale[lane], acc);
    }
  }
  return acc;
}

// The same with blocks of 256.
inline float multiply_256_scalar(PackedKind kind, const WideBlock256* w, const LaneBlock256* x,
                                 std::size_t blocks, std::size_t lane) {
  const int offset = code_offset(kind);
  float acc = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    std::int32_t sum = 0;
    std::int32_t minimum = 0;
    for (std::size_t i = 0; i < 256; ++i) {
      const std::int32_t q = x[b].q[i / 4][lane][i % 4];
      sum += w[b].scales[i / 16] * ((w[b].codes[i] - offset) * q);
      minimum += w[b].minimums[i / 16] * q;
    }
    acc = std::fma(static_cast<float>(sum), w[b].scale * x[b].scale[lane], acc);
    if (has_minimum(kind)) {
      acc = std::fma(static_cast<float>(minimum), -(w[b].minimum * x[b].scale[lane]), acc);
    }
  }
  return acc;
}

inline float multiply_scalar(const PackedTile& tile, std::size_t output, std::size_t lane) {
  const std::size_t first = output * tile.blocks;
  if (has_wide_blocks(tile.kind))
    return multiply_256_scalar(tile.kind, static_cast<const WideBlock256*>(tile.weights) + first,
                               static_cast<const LaneBlock256*>(tile.activations), tile.blocks,
                               lane);
  const auto* const x = static_cast<const LaneBlock32*>(tile.activations);
  if (tile.kind == PackedKind::kNVFP4)
    return multiply_2x16_scalar(static_cast<const WideBlock2x16*>(tile.weights) + first, x,
                                tile.blocks, lane);
  return multiply_32_scalar(tile.kind, static_cast<const WideBlock32*>(tile.weights) + first, x,
                            tile.blocks, lane);
}

inline void multiply_packed_scalar(const PackedTile& tile) {
  for (std::size_t r = 0; r < tile.outputs; ++r)
    for (std::size_t l = 0; l < 16; ++l) tile.out[16 * r + l] = multiply_scalar(tile, r, l);
}

}  // namespace qbuild::kernels
