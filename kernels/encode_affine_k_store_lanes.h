#pragma once
// The bytes of super-blocks of scale*code - minimum: the layouts are in kernels/blocks.h. L only
// keeps apart the copies that are compiled for different instruction sets.

#include <cstddef>
#include <cstdint>

#include "kernels/encode_scale_lanes.h"

namespace qbuild::kernels {

template <class L>
struct AffineKStore {
  using Scale = ScaleKernels<L>;

  // One super-block. sc and m are the codes of its sub-blocks g; codes[c][g] holds the codes 4c to
  // 4c + 3 of sub-block g, one per byte.
  struct Block {
    float d, dmin;
    const float* sc;
    const float* m;
    const std::uint32_t (*codes)[16];
    std::size_t first;  // of its sub-blocks among the sixteen in codes

    [[nodiscard]] std::uint32_t four(std::size_t c, std::size_t g) const {
      return codes[c][first + g];
    }
  };

  static void q2_k(const Block& b, std::uint8_t* to) {
    for (std::size_t g = 0; g < 16; ++g) {
      to[g] = static_cast<std::uint8_t>(static_cast<unsigned>(b.sc[g]) |
                                        static_cast<unsigned>(b.m[g]) << 4);
    }
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t c = 0; c < 8; ++c) {
        // Bytes 4c to 4c + 3 of the half: the first four words are of its even sub-blocks.
        const std::size_t g = 8 * half + c / 4;
        const std::uint32_t all = b.four(c % 4, g) | b.four(c % 4, g + 2) << 2 |
                                  b.four(c % 4, g + 4) << 4 | b.four(c % 4, g + 6) << 6;
        __builtin_memcpy(to + 16 + 32 * half + 4 * c, &all, sizeof all);
      }
    }
    Scale::store_bits(to + 80, b.d);
    Scale::store_bits(to + 82, b.dmin);
  }
  static void q4_k(const Block& b, std::uint8_t* to) {
    store_six_bits(b, to);
    store_nibbles(b, to + 16);
  }
  static void q5_k(const Block& b, std::uint8_t* to) {
    store_six_bits(b, to);
    for (std::size_t c = 0; c < 8; ++c) {
      std::uint32_t fifth = 0;
      for (std::size_t g = 0; g < 8; ++g) fifth |= (b.four(c, g) >> 4 & 0x01010101U) << g;
      __builtin_memcpy(to + 16 + 4 * c, &fifth, sizeof fifth);
    }
    store_nibbles(b, to + 48);
  }

  // d, dmin, and eight scales and minimums of six bits in twelve bytes.
  static void store_six_bits(const Block& b, std::uint8_t* to) {
    Scale::store_bits(to, b.d);
    Scale::store_bits(to + 2, b.dmin);
    to += 4;
    for (std::size_t g = 0; g < 4; ++g) {
      const auto sc_low = static_cast<unsigned>(b.sc[g]);
      const auto sc_high = static_cast<unsigned>(b.sc[g + 4]);
      const auto m_low = static_cast<unsigned>(b.m[g]);
      const auto m_high = static_cast<unsigned>(b.m[g + 4]);
      to[g] = static_cast<std::uint8_t>(sc_low | sc_high >> 4 << 6);
      to[g + 4] = static_cast<std::uint8_t>(m_low | m_high >> 4 << 6);
      to[g + 8] = static_cast<std::uint8_t>((sc_high & 15) | (m_high & 15) << 4);
    }
  }
  static void store_nibbles(const Block& b, std::uint8_t* to) {
    for (std::size_t g = 0; g < 4; ++g) {
      for (std::size_t c = 0; c < 8; ++c) {
        const std::uint32_t even = b.four(c, 2 * g) & 0x0f0f0f0fU;
        const std::uint32_t odd = b.four(c, 2 * g + 1) & 0x0f0f0f0fU;
        const std::uint32_t both = even | odd << 4;
        __builtin_memcpy(to + 32 * g + 4 * c, &both, sizeof both);
      }
    }
  }
};

}  // namespace qbuild::kernels
