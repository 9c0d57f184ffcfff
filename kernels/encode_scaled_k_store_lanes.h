#pragma once
// The bytes of super-blocks of scale*level: the layouts are in kernels/blocks.h. L only keeps apart
// the copies that are compiled for different instruction sets.

#include <cstddef>
#include <cstdint>

#include "kernels/encode_scale_lanes.h"

namespace qbuild::kernels {

template <class L>
struct ScaledKStore {
  using Scale = ScaleKernels<L>;

  // One super-block: the scale codes of its sub-blocks, and the values' codes in row order.
  struct Block {
    float d;
    const float* sc;
    const std::uint8_t* codes;
  };

  static void q6_k(const Block& b, std::uint8_t* to) {
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint8_t* c = b.codes + 128 * half;
      std::uint8_t* low = to + 64 * half;
      std::uint8_t* high = to + 128 + 32 * half;
      for (std::size_t i = 0; i < 64; ++i) {
        low[i] = static_cast<std::uint8_t>((c[i] & 15) | (c[i + 64] & 15) << 4);
      }
      for (std::size_t i = 0; i < 32; ++i) {
        high[i] = static_cast<std::uint8_t>(c[i] >> 4 | c[i + 32] >> 4 << 2 | c[i + 64] >> 4 << 4 |
                                            c[i + 96] >> 4 << 6);
      }
    }
    for (std::size_t g = 0; g < 16; ++g) {
      const auto byte = static_cast<std::int8_t>(b.sc[g]);
      __builtin_memcpy(to + 192 + g, &byte, 1);
    }
    Scale::store_bits(to + 208, b.d);
  }
};

}  // namespace qbuild::kernels
