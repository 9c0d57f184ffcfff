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

  // One super-block: the scale codes of its sub-blocks as they are stored, and the values' codes in
  // row order.
  struct Block {
    float d;
    const std::uint8_t* sc;
    const std::uint8_t* codes;
  };

  // Eight bytes at once. Shifts move bits between bytes: bits() takes `mask` of each.
  static std::uint64_t load_8(const std::uint8_t* from) {
    std::uint64_t eight;
    __builtin_memcpy(&eight, from, sizeof eight);
    return eight;
  }
  static void store_8(std::uint8_t* to, std::uint64_t eight) {
    __builtin_memcpy(to, &eight, sizeof eight);
  }
  static std::uint64_t bits(const std::uint8_t* from, unsigned shift, std::uint64_t mask) {
    return load_8(from) >> shift & mask * 0x0101010101010101U;
  }

  static void q3_k(const Block& b, std::uint8_t* to) {
    for (std::size_t i = 0; i < 32; i += 8) {
      std::uint64_t high = 0;
      for (std::size_t g = 0; g < 8; ++g) high |= bits(b.codes + 32 * g + i, 2, 1) << g;
      store_8(to + i, high);
    }
    for (std::size_t half = 0; half < 2; ++half) {
      store_two_bits(b.codes + 128 * half, 0, to + 32 + 32 * half);
    }
    std::uint8_t* scales = to + 96;
    store_8(scales, bits(b.sc, 0, 15) | bits(b.sc + 8, 0, 15) << 4);
    // Two bits of each: of scales i and i + 8 in byte i, then of four in each of the first four.
    const std::uint64_t two = bits(b.sc, 4, 3) | bits(b.sc + 8, 4, 3) << 4;
    const auto four = static_cast<std::uint32_t>(two | two >> 30);
    __builtin_memcpy(scales + 8, &four, sizeof four);
    Scale::store_bits(to + 108, b.d);
  }
  // Bits `first` and first + 1 of 128 codes: those of codes i, i + 32, i + 64 and i + 96 in byte i.
  static void store_two_bits(const std::uint8_t* codes, unsigned first, std::uint8_t* to) {
    for (std::size_t i = 0; i < 32; i += 8) {
      store_8(to + i, bits(codes + i, first, 3) | bits(codes + i + 32, first, 3) << 2 |
                          bits(codes + i + 64, first, 3) << 4 |
                          bits(codes + i + 96, first, 3) << 6);
    }
  }

  static void q6_k(const Block& b, std::uint8_t* to) {
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint8_t* c = b.codes + 128 * half;
      for (std::size_t i = 0; i < 64; i += 8) {
        store_8(to + 64 * half + i, bits(c + i, 0, 15) | bits(c + i + 64, 0, 15) << 4);
      }
      store_two_bits(c, 4, to + 128 + 32 * half);
    }
    __builtin_memcpy(to + 192, b.sc, 16);
    Scale::store_bits(to + 208, b.d);
  }
  static void iq4_xs(const Block& b, std::uint8_t* to) {
    Scale::store_bits(to, b.d);
    unsigned high = 0;
    for (std::size_t g = 0; g < 8; g += 2) {
      const unsigned even = b.sc[g];
      const unsigned odd = b.sc[g + 1];
      to[4 + g / 2] = static_cast<std::uint8_t>((even & 15) | (odd & 15) << 4);
      high |= (even >> 4 | odd >> 4 << 2) << 2 * g;
    }
    to[2] = static_cast<std::uint8_t>(high & 255);
    to[3] = static_cast<std::uint8_t>(high >> 8);
    for (std::size_t g = 0; g < 8; ++g) {
      const std::uint8_t* c = b.codes + 32 * g;
      for (std::size_t i = 0; i < 16; i += 8) {
        store_8(to + 8 + 16 * g + i, load_8(c + i) | load_8(c + i + 16) << 4);
      }
    }
  }
};

}  // namespace qbuild::kernels
