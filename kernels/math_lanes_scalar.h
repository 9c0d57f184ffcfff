#pragma once
// Sixteen lanes as plain arrays: the definition that the vector lanes equal. The compute kernels
// are templates over such a type (L): kernels/math_lanes_avx2.h and _avx512.h are the others.
//
// F holds 16 floats, I 16 int32. Operations are lane by lane and IEEE-754 unless they say
// otherwise.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/half.h"

namespace qbuild::kernels {

struct LanesScalar {
  struct F {
    float v[16];
  };
  struct I {
    std::int32_t v[16];
  };

  template <typename Op>
  static F each(Op op) {
    F r;
    for (int l = 0; l < 16; ++l) r.v[l] = op(l);
    return r;
  }

  static F load(const float* from) {
    return each([&](int l) { return from[l]; });
  }
  static void store(float* to, const F& a) { std::memcpy(to, a.v, sizeof a.v); }
  static F set(float x) {
    return each([&](int) { return x; });
  }
  static F add(const F& a, const F& b) {
    return each([&](int l) { return a.v[l] + b.v[l]; });
  }
  static F sub(const F& a, const F& b) {
    return each([&](int l) { return a.v[l] - b.v[l]; });
  }
  static F mul(const F& a, const F& b) {
    return each([&](int l) { return a.v[l] * b.v[l]; });
  }
  static F div(const F& a, const F& b) {
    return each([&](int l) { return a.v[l] / b.v[l]; });
  }
  // a*b + c, rounded once.
  static F fma(const F& a, const F& b, const F& c) {
    return each([&](int l) { return std::fma(a.v[l], b.v[l], c.v[l]); });
  }
  // The second where either is not a number.
  static F max(const F& a, const F& b) {
    return each([&](int l) { return a.v[l] > b.v[l] ? a.v[l] : b.v[l]; });
  }
  static F abs(const F& a) {
    return each([&](int l) {
      return std::bit_cast<float>(std::bit_cast<std::uint32_t>(a.v[l]) & 0x7fffffffU);
    });
  }
  // a < b ? yes : no
  static F select_less(const F& a, const F& b, const F& yes, const F& no) {
    return each([&](int l) { return a.v[l] < b.v[l] ? yes.v[l] : no.v[l]; });
  }
  static I bits(const F& a) { return std::bit_cast<I>(a); }
  static F from_bits(const I& a) { return std::bit_cast<F>(a); }
  // Wraps around.
  static I add_int(const I& a, const I& b) {
    I r;
    for (int l = 0; l < 16; ++l) {
      r.v[l] = static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v[l]) +
                                         static_cast<std::uint32_t>(b.v[l]));
    }
    return r;
  }
  static I sub_int(const I& a, const I& b) {
    I r;
    for (int l = 0; l < 16; ++l) {
      r.v[l] = static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v[l]) -
                                         static_cast<std::uint32_t>(b.v[l]));
    }
    return r;
  }
  static I set_int(std::int32_t x) {
    I r;
    for (int l = 0; l < 16; ++l) r.v[l] = x;
    return r;
  }
  template <int kBits>
  static I shift_left(const I& a) {
    I r;
    for (int l = 0; l < 16; ++l) {
      r.v[l] = static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v[l]) << kBits);
    }
    return r;
  }
  static I shift_right_one(const I& a) {  // arithmetic shift by one
    I r;
    for (int l = 0; l < 16; ++l) r.v[l] = a.v[l] >> 1;
    return r;
  }
  static void store_int(std::int32_t* to, const I& a) { std::memcpy(to, a.v, sizeof a.v); }
  // Rounded to binary16 or bfloat16 and back, as base/half.h does it.
  static F round_f16(const F& a) {
    return each([&](int l) { return f16_to_f32(f32_to_f16(a.v[l])); });
  }
  static F round_bf16(const F& a) {
    return each([&](int l) { return bf16_to_f32(f32_to_bf16(a.v[l])); });
  }
  // One binary16.
  static float half(std::uint16_t bits) { return f16_to_f32(bits); }
  // The levels that sixteen bytes of nibbles stand for: the low ones are 0..15, the high ones
  // 16..31.
  static void look_up(const std::int8_t* levels, const std::uint8_t* packed, std::int8_t* out) {
    for (int i = 0; i < 16; ++i) out[i] = levels[packed[i] & 15];
    for (int i = 0; i < 16; ++i) out[i + 16] = levels[packed[i] >> 4];
  }
  // The tree: lanes l and l+8, then l and l+4, l and l+2, l and l+1.
  static float fold_add(const F& a) {
    float s[16];
    std::memcpy(s, a.v, sizeof s);
    for (int width = 8; width > 0; width /= 2) {
      for (int l = 0; l < width; ++l) s[l] += s[l + width];
    }
    return s[0];
  }
  static float fold_max(const F& a) {
    float s[16];
    std::memcpy(s, a.v, sizeof s);
    for (int width = 8; width > 0; width /= 2) {
      for (int l = 0; l < width; ++l) s[l] = s[l] > s[l + width] ? s[l] : s[l + width];
    }
    return s[0];
  }
};

}  // namespace qbuild::kernels
