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

  static void q3_k(const Block& b, std::uint8_t* to) {
    for (std::size_t i = 0; i < 32; ++i) {
      unsigned high = 0;
      for (std::size_t g = 0; g < 8; ++g)
        high |= static_cast<unsigned>(b.codes[32 * g + i]) >> 2 << g;
      to[i] = static_cast<std::uint8_t>(high);
    }
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint8_t* c = b.codes + 128 * half;
      for (std::size_t i = 0; i < 32; ++i) {
        to[32 + 32 * half + i] = static_cast<std::uint8_t>(
            (c[i] & 3) | (c[i + 32] & 3) << 2 | (c[i + 64] & 3) << 4 | (c[i + 96] & 3) << 6);
      }
    }
    std::uint8_t* scales = to + 96;
    unsigned sc[16];
    for (std::size_t g = 0; g < 16; ++g) sc[g] = static_cast<unsigned>(b.sc[g] + 32);
    for (std::size_t g = 0; g < 8; ++g) {
      scales[g] = static_cast<std::uint8_t>((sc[g] & 15) | (sc[g + 8] & 15) << 4);
    }
    for (std::size_t g = 0; g < 4; ++g) {
      scales[8 + g] = static_cast<std::uint8_t>(sc[g] >> 4 | sc[g + 4] >> 4 << 2 |
                                                sc[g + 8] >> 4 << 4 | sc[g + 12] >> 4 << 6);
    }
    Scale::store_bits(to + 108, b.d);
  }
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
  static void iq4_xs(const Block& b, std::uint8_t* to) {
    Scale::store_bits(to, b.d);
    unsigned high = 0;
    for (std::size_t g = 0; g < 8; g += 2) {
      const auto even = static_cast<unsigned>(b.sc[g] + 32);
      const auto odd = static_cast<unsigned>(b.sc[g + 1] + 32);
      to[4 + g / 2] = static_cast<std::uint8_t>((even & 15) | (odd & 15) << 4);
      high |= (even >> 4 | odd >> 4 << 2) << 2 * g;
    }
    to[2] = static_cast<std::uint8_t>(high & 255);
    to[3] = static_cast<std::uint8_t>(high >> 8);
    for (std::size_t g = 0; g < 8; ++g) {
      const std::uint8_t* c = b.codes + 32 * g;
      for (std::size_t i = 0; i < 16; ++i) {
        to[8 + 16 * g + i] = static_cast<std::uint8_t>(c[i] | c[i + 16] << 4);
      }
    }
  }
};

}  // namespace qbuild::kernels
