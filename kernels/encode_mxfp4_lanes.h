#pragma once
// MXFP4: blocks of 32 values, y = (a power of two)*level, with eight magnitudes of either sign;
// sixteen blocks go together, one per lane.
//
// The largest magnitude decides the power of two as in the reference (gguf.md 9.1), or the next
// one, or with Effort::kBest one to either side: whichever has the least error. Powers of two need
// no least squares, and all is computed in units of the first one, so that no square overflows.

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/encode_sixteen_lanes.h"
#include "kernels/encode_weights_lanes.h"

namespace qbuild::kernels {

template <class L>
struct Mxfp4Encoder {
  using F = typename L::F;
  using I = typename L::I;
  using Weights = WeightKernels<L, 32>;
  static constexpr float kNoErrorYet = 3e38F;

  // The magnitudes, doubled, are 0 1 2 3 4 6 8 12. The nearest one is found by three comparisons;
  // each result is one bit of a path, the first one the lowest.
  struct Tables {
    float third[8];  // the middle to compare with after two comparisons; eight to fill registers
    float level[8];  // at the end of a path
    float code[8];
  };
  static constexpr Tables kTables{
      {0.5F, 5, 2.5F, 10, 0.5F, 5, 2.5F, 10}, {0, 4, 2, 8, 1, 6, 3, 12}, {0, 4, 2, 6, 1, 5, 3, 7}};
  static I path_of(F magnitude) {
    const F first = L::set(3.5F);
    const F second = L::select_less(first, magnitude, L::set(7), L::set(1.5F));
    const I path = L::add_int(bit_if_less(first, magnitude, 1), bit_if_less(second, magnitude, 2));
    return L::add_int(path, bit_if_less(L::look_up_8(kTables.third, path), magnitude, 4));
  }
  static I bit_if_less(F a, F b, std::int32_t bit) {
    return L::bits(L::select_less(a, b, L::from_bits(L::set_int(bit)), L::set(0)));
  }

  // The error with units of `unit`, without the part that all share.
  static F error_of(const F* magnitudes, const F* w, float unit) {
    F error = L::set(0);
    for (std::size_t j = 0; j < 32; ++j) {
      const I path = path_of(L::mul(magnitudes[j], L::set(1 / unit)));
      const F y = L::mul(L::look_up_8(kTables.level, path), L::set(unit));
      const F twice = L::add(magnitudes[j], magnitudes[j]);
      error = L::fma(L::mul(w[j], y), L::sub(y, twice), error);
    }
    return error;
  }

  // The reference's scale byte for a largest magnitude, but never 0, so that there is one below it.
  static int first_byte(float most) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, &most, sizeof bits);
    const int byte = static_cast<int>(bits >> 23 & 255U) - 2;
    return byte < 1 ? 1 : byte;
  }
  // 2^exponent, within what a float holds.
  static float power_of_two(int exponent) {
    const auto bits = static_cast<std::uint32_t>(exponent + 127) << 23;
    float power;
    __builtin_memcpy(&power, &bits, sizeof power);
    return power;
  }

  // Values of sixteen blocks divided by 2^(byte - 128), which may itself be no number of full
  // precision, so that it goes in two steps.
  static void to_units(const float* from, const int* bytes, F* x) {
    float near[16], rest[16];
    for (std::size_t g = 0; g < 16; ++g) {
      const int exponent = 128 - bytes[g];
      near[g] = power_of_two(exponent / 2);
      rest[g] = power_of_two(exponent - exponent / 2);
    }
    Weights::transpose(from, x);
    for (std::size_t j = 0; j < 32; ++j) {
      x[j] = L::mul(L::mul(x[j], L::load(near)), L::load(rest));
    }
  }

  static void encode_group(const float* from, const float* importance, std::size_t blocks,
                           Effort effort, std::uint8_t* to) {
    int bytes[16];
    for (std::size_t g = 0; g < 16; ++g) {
      const F pair = L::max(L::abs(L::load(from + 32 * g)), L::abs(L::load(from + 32 * g + 16)));
      bytes[g] = first_byte(L::fold_max(pair));
    }
    F x[32], magnitudes[32], w[32];
    to_units(from, bytes, x);
    if (importance != nullptr) Weights::transpose(importance, w);
    for (std::size_t j = 0; j < 32; ++j) {
      magnitudes[j] = L::abs(x[j]);
      if (importance == nullptr) w[j] = L::set(1);
    }
    F best_unit = L::set(1);
    F best_error = error_of(magnitudes, w, 1);
    for (const float unit : {2.0F, 0.5F}) {
      if (unit < 1 && effort != Effort::kBest) continue;
      const F error = error_of(magnitudes, w, unit);
      best_unit = L::select_less(error, best_error, L::set(unit), best_unit);
      best_error = L::min(error, best_error);
    }
    store(x, bytes, best_unit, blocks, to);
  }

  // The code at the end of a path with the sign of x, in the lowest byte of each lane. No minus
  // zero.
  static I signed_code(F x, I path) {
    const F code = L::look_up_8(kTables.code, path);
    const F negative = L::select_less(x, L::set(0), L::set(8), L::set(0));
    const F sign = L::select_less(L::set(0), code, negative, L::set(0));
    return L::bits(L::add(L::add(code, sign), L::set(0x1.8p+23F)));
  }

  static void store(const F* x, const int* bytes, F unit, std::size_t blocks, std::uint8_t* to) {
    std::uint8_t codes[32][16];
    const F inverse = L::div(L::set(1), unit);
    for (std::size_t j = 0; j < 32; ++j) {
      const I path = path_of(L::mul(L::abs(x[j]), inverse));
      L::store_bytes(codes[j], signed_code(x[j], path));
    }
    float units[16];
    L::store(units, unit);
    for (std::size_t b = 0; b < blocks; ++b, to += 17) {
      const int shift = units[b] > 1 ? 1 : units[b] < 1 ? -1 : 0;
      to[0] = static_cast<std::uint8_t>(bytes[b] + shift);
      for (std::size_t i = 0; i < 16; ++i) {
        to[1 + i] = static_cast<std::uint8_t>(codes[i][b] | codes[i + 16][b] << 4);
      }
    }
  }

  static void encode(const EncodeJob& job) {
    SixteenGroups<L, 32, 1, 17>::for_each(
        job, [&job](const float* from, const float* importance, std::size_t blocks,
                    std::uint8_t* to) { encode_group(from, importance, blocks, job.effort, to); });
  }
};

}  // namespace qbuild::kernels
