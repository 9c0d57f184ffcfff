#pragma once
// From the scales of blocks of 32 to their bytes: the layouts are in kernels/blocks.h.
//
// Codes are rounded with the scale that is stored, not with the one before it was rounded to
// binary16, as the reference does: that costs nothing and has less error.

#include <cstddef>
#include <cstdint>

#include "kernels/encode_scale_lanes.h"
#include "kernels/encode_table_levels_lanes.h"

namespace qbuild::kernels {

template <class L>
struct BlockStore {
  using F = typename L::F;
  using Scale = ScaleKernels<L>;
  static constexpr std::size_t kGroup = 16;  // blocks whose scales are found at once, one per lane

  // Of up to sixteen blocks.
  struct Scales {
    float inverse[kGroup];  // of the scale
    float offset[kGroup];   // -minimum*inverse
    std::uint8_t scale_bits[2 * kGroup];
    std::uint8_t minimum_bits[2 * kGroup];
  };
  static Scales scales_of(F scale) {
    Scales s;
    const F rounded = Scale::round(scale);
    L::store(s.inverse, Scale::inverse(rounded));
    L::store_f16(s.scale_bits, rounded);
    return s;
  }
  // `minimum` is a binary16 value.
  static Scales scales_of(F scale, F minimum) {
    Scales s = scales_of(scale);
    L::store_f16(s.minimum_bits, minimum);
    L::store(s.offset, L::mul(L::sub(L::set(0), minimum), L::load(s.inverse)));
    return s;
  }

  static void q8_0(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 34) {
      copy_2(out, s.scale_bits + 2 * b);
      L::template round_32<-127, 127>(values + 32 * b, s.inverse[b], 0, out + 2);
    }
  }
  static void q4_0(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 18) {
      std::uint8_t codes[32];
      L::template round_32<0, 15>(values + 32 * b, s.inverse[b], 8, codes);
      copy_2(out, s.scale_bits + 2 * b);
      L::store_nibbles(out + 2, codes);
    }
  }
  static void q4_1(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 20) {
      std::uint8_t codes[32];
      L::template round_32<0, 15>(values + 32 * b, s.inverse[b], s.offset[b], codes);
      copy_2(out, s.scale_bits + 2 * b);
      copy_2(out + 2, s.minimum_bits + 2 * b);
      L::store_nibbles(out + 4, codes);
    }
  }
  static void q5_0(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 22) {
      std::uint8_t codes[32];
      L::template round_32<0, 31>(values + 32 * b, s.inverse[b], 16, codes);
      copy_2(out, s.scale_bits + 2 * b);
      store_five_bits(out + 2, codes);
    }
  }
  static void q5_1(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 24) {
      std::uint8_t codes[32];
      L::template round_32<0, 31>(values + 32 * b, s.inverse[b], s.offset[b], codes);
      copy_2(out, s.scale_bits + 2 * b);
      copy_2(out + 2, s.minimum_bits + 2 * b);
      store_five_bits(out + 4, codes);
    }
  }

  static void iq4_nl(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 18) {
      const F inverse = L::set(s.inverse[b]);
      std::uint8_t codes[32];
      for (std::size_t i = 0; i < 32; i += 16) {
        L::store_bytes(codes + i, TableLevels<L>::code(L::load(values + 32 * b + i), inverse));
      }
      copy_2(out, s.scale_bits + 2 * b);
      L::store_nibbles(out + 2, codes);
    }
  }

  static void copy_2(std::uint8_t* to, const std::uint8_t* from) { __builtin_memcpy(to, from, 2); }
  static void store_five_bits(std::uint8_t* to, const std::uint8_t* codes) {
    const std::uint32_t fifth = L::fifth_bits(codes);
    __builtin_memcpy(to, &fifth, sizeof fifth);
    L::store_nibbles(to + 4, codes);
  }
};

}  // namespace qbuild::kernels
