#pragma once
// The f32 product over lanes: tokens lie in lanes, a weight is broadcast, several outputs share a
// load of the activations. Every output keeps its own chain, so its bits do not depend on the tile.

#include <cstddef>

#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

template <class L, std::size_t kRows>
void multiply_f32_rows(const F32Tile& tile, std::size_t first) {
  using F = typename L::F;
  const float* rows[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    rows[r] = tile.weights + static_cast<std::ptrdiff_t>(first + r) * tile.row_stride;
  }
  F total[kRows];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) total[r] = L::set(0);
  const std::ptrdiff_t stride = tile.column_stride;
  const float* x = tile.activations;
  for (std::size_t begin = 0; begin < tile.columns; begin += kChain) {
    const std::size_t left = tile.columns - begin;
    const std::size_t count = left < kChain ? left : kChain;
    F chain[kRows];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) chain[r] = L::set(0);
    std::ptrdiff_t at = static_cast<std::ptrdiff_t>(begin) * stride;
    for (std::size_t k = 0; k < count; ++k) {
      const F a = L::load(x);
#pragma GCC unroll 16
      for (std::size_t r = 0; r < kRows; ++r) chain[r] = L::fma(L::set(rows[r][at]), a, chain[r]);
      x += 16;
      at += stride;
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) total[r] = L::add(total[r], chain[r]);
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    L::store(tile.out + (first + r) * 16, total[r]);
  }
}

template <class L>
void multiply_f32_lanes(const F32Tile& tile) {
  constexpr std::size_t kStep = L::kOutputs;
  std::size_t r = 0;
  for (; r + kStep <= tile.outputs; r += kStep) multiply_f32_rows<L, L::kOutputs>(tile, r);
  for (; r + 2 <= tile.outputs; r += 2) multiply_f32_rows<L, 2>(tile, r);
  if (r < tile.outputs) multiply_f32_rows<L, 1>(tile, r);
}

}  // namespace qbuild::kernels
