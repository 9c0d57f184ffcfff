#pragma once
// What the codecs need beside the compute kernels' lanes. The plain definition; codec_lanes_avx2.h
// and codec_lanes_avx512.h equal it bit for bit.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/half.h"
#include "kernels/halves.h"
#include "kernels/math_lanes_scalar.h"

namespace qbuild::kernels {

struct CodecLanesScalar : LanesScalar {
  // The second where either is not a number.
  static F min(const F& a, const F& b) {
    return each([&](int l) { return a.v[l] < b.v[l] ? a.v[l] : b.v[l]; });
  }
  static F sqrt(const F& a) {
    return each([&](int l) { return std::sqrt(a.v[l]); });
  }
  static I and_int(const I& a, const I& b) {
    I r;
    for (int l = 0; l < 16; ++l) r.v[l] = a.v[l] & b.v[l];
    return r;
  }
  static I max_int(const I& a, const I& b) {
    I r;
    for (int l = 0; l < 16; ++l) r.v[l] = std::max(a.v[l], b.v[l]);
    return r;
  }
  // A logical shift.
  template <int kBits>
  static I shift_right(const I& a) {
    I r;
    for (int l = 0; l < 16; ++l) {
      r.v[l] = static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v[l]) >> kBits);
    }
    return r;
  }
  static I load_int(const std::int32_t* from) {
    I r;
    std::memcpy(r.v, from, sizeof r.v);
    return r;
  }
  // Eight lanes of each.
  static F spread_two(float a, float b) {
    return each([&](int l) { return l < 8 ? a : b; });
  }
  // Lane l is table[index of lane l]; only the lowest three, or four, bits of an index count.
  static F look_up_8(const float* table, const I& index) {
    return each([&](int l) { return table[index.v[l] & 7]; });
  }
  static F look_up_16(const float* table, const I& index) {
    return each([&](int l) { return table[index.v[l] & 15]; });
  }
  // Bit l of the result is bit kBit of lane l.
  template <int kBit>
  static std::uint32_t bit_of_lanes(const I& a) {
    std::uint32_t mask = 0;
    for (int l = 0; l < 16; ++l) mask |= (static_cast<std::uint32_t>(a.v[l]) >> kBit & 1U) << l;
    return mask;
  }
  // The lowest byte of each lane.
  static void store_bytes(std::uint8_t* to, const I& a) {
    for (int l = 0; l < 16; ++l) to[l] = static_cast<std::uint8_t>(a.v[l] & 255);
  }
  // Sixteen binary16 values; neither needs alignment.
  static F load_f16(const std::uint8_t* from) {
    return each([&](int l) {
      std::uint16_t bits;
      std::memcpy(&bits, from + 2 * l, sizeof bits);
      return f16_to_f32(bits);
    });
  }
  static void store_f16(std::uint8_t* to, const F& a) {
    for (int l = 0; l < 16; ++l) {
      const std::uint16_t bits = f32_to_f16(a.v[l]);
      std::memcpy(to + 2 * l, &bits, sizeof bits);
    }
  }
  // codes[i] = x[i]*inverse + offset, rounded once, then to nearest, ties to even, and held within
  // the two, which are those of a byte with or without sign. Before that it must lie within 2^22.
  // Either half has its own inverse.
  template <int kLowest, int kHighest>
  static void round_32(const float* x, const Halves& inverse, float offset, std::uint8_t* codes) {
    constexpr float kMagic = 0x1.8p+23F;
    for (std::size_t i = 0; i < 32; ++i) {
      const float factor = i < 16 ? inverse.first : inverse.second;
      const float rounded = (std::fma(x[i], factor, offset) + kMagic) - kMagic;
      codes[i] = static_cast<std::uint8_t>(static_cast<int>(
          std::clamp(rounded, static_cast<float>(kLowest), static_cast<float>(kHighest))));
    }
  }
  // Sixteen bytes: the low halves of the first sixteen codes below those of the others.
  static void store_nibbles(std::uint8_t* to, const std::uint8_t* codes) {
    for (std::size_t i = 0; i < 16; ++i) {
      to[i] = static_cast<std::uint8_t>((codes[i] & 15) | (codes[i + 16] & 15) << 4);
    }
  }
  // Bit i of the result is bit 4 of code i, of 32.
  static std::uint32_t fifth_bits(const std::uint8_t* codes) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 32; ++i) bits |= (codes[i] >> 4 & 1U) << i;
    return bits;
  }
  // Lane l: the extremes of the 32 floats from + 32*l; of zeros either.
  static void extremes_of_rows(const float* from, F* lowest, F* highest) {
    for (std::size_t l = 0; l < 16; ++l) {
      lowest->v[l] = *std::min_element(from + 32 * l, from + 32 * (l + 1));
      highest->v[l] = *std::max_element(from + 32 * l, from + 32 * (l + 1));
    }
  }
  // columns[j], lane l = from[l * stride + j], j < 16.
  static void transpose(const float* from, std::size_t stride, F* columns) {
    for (std::size_t j = 0; j < 16; ++j) {
      columns[j] = each([&](int l) { return from[static_cast<std::size_t>(l) * stride + j]; });
    }
  }
};

}  // namespace qbuild::kernels
