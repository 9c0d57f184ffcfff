#pragma once
// NVFP4: sub-blocks of 16 values, y = (an unsigned E4M3 number)*level, with eight magnitudes of
// either sign; sixteen sub-blocks, four blocks, go together, one sub-block per lane.
//
// Scale codes ascend with the scales they stand for, so the search tries neighbours of the code
// that is nearest to (largest magnitude)/(largest level). Ordinary weights have scales among the
// first codes, which are far apart, and there the nearest code is seldom the best one. Source:
// docs/types/four-bits.md.

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/encode_mxfp4_lanes.h"
#include "kernels/encode_sixteen_lanes.h"
#include "kernels/encode_weights_lanes.h"

namespace qbuild::kernels {

template <class L>
struct Nvfp4Encoder {
  using F = typename L::F;
  using I = typename L::I;
  using Weights = WeightKernels<L, 16>;
  using Levels = Mxfp4Encoder<L>;
  static constexpr int kTopCode = 126;    // 448; 127 stands for 0
  static constexpr float kTopLevel = 12;  // in units of half a scale

  // Scale codes to try around the nearest one. A smaller scale clips; the larger ones put the
  // largest magnitude at 8 in place of 12, which is half an octave further, or four codes.
  struct Search {
    int below, above;
  };
  static constexpr Search kDefault{3, 6};
  static constexpr Search kBest{8, 8};

  // Half the E4M3 number of a code: the unit of levels.
  static float unit_of(int code) {
    if (code < 8) return static_cast<float>(code) * 0x1p-10F;
    const std::uint32_t bits = static_cast<std::uint32_t>(code + (119 << 3)) << 20;
    float unit;
    __builtin_memcpy(&unit, &bits, sizeof unit);
    return unit;
  }
  // The code whose unit is nearest, of two the larger.
  static int nearest_code(float unit) {
    if (unit < 0x1p-7F) return (static_cast<int>(unit * 0x1p+11F) + 1) / 2;
    std::uint32_t bits;
    __builtin_memcpy(&bits, &unit, sizeof bits);
    const int code = static_cast<int>((bits + (1U << 19)) >> 20) - (119 << 3);
    return code < kTopCode ? code : kTopCode;
  }

  // The error without the part that all scales share.
  static F error_of(const F* magnitudes, const F* w, F unit, F inverse) {
    F error = L::set(0);
    for (std::size_t j = 0; j < 16; ++j) {
      const I path = Levels::path_of(L::mul(magnitudes[j], inverse));
      const F y = L::mul(L::look_up_8(Levels::kTables.level, path), unit);
      const F twice = L::add(magnitudes[j], magnitudes[j]);
      error = L::fma(L::mul(w[j], y), L::sub(y, twice), error);
    }
    return error;
  }

  // The best codes around `nearest`. Zero, whose error is the shared part, unless another one is
  // better.
  static void search(const F* magnitudes, const F* w, const int* nearest, const Search& how,
                     int* codes) {
    F best_error = L::set(0);
    F best_code = L::set(0);
    for (int step = -how.below; step <= how.above; ++step) {
      float code[16], unit[16];
      for (std::size_t g = 0; g < 16; ++g) {
        const int near = nearest[g] + step;
        const int held = near < 1 ? 1 : near > kTopCode ? kTopCode : near;
        code[g] = static_cast<float>(held);
        unit[g] = unit_of(held);
      }
      const F units = L::load(unit);
      const F error = error_of(magnitudes, w, units, L::div(L::set(1), units));
      best_code = L::select_less(error, best_error, L::load(code), best_code);
      best_error = L::min(error, best_error);
    }
    float chosen[16];
    L::store(chosen, best_code);
    for (std::size_t g = 0; g < 16; ++g) codes[g] = static_cast<int>(chosen[g]);
  }

  static void encode_group(const float* from, const float* importance, std::size_t blocks,
                           Effort effort, std::uint8_t* to) {
    int codes[16];
    for (std::size_t g = 0; g < 16; ++g) {
      codes[g] = nearest_code(L::fold_max(L::abs(L::load(from + 16 * g))) / kTopLevel);
    }
    F x[16], magnitudes[16], w[16];
    Weights::transpose(from, x);
    if (importance != nullptr) Weights::transpose(importance, w);
    for (std::size_t j = 0; j < 16; ++j) {
      magnitudes[j] = L::abs(x[j]);
      if (importance == nullptr) w[j] = L::set(1);
    }
    search(magnitudes, w, codes, effort == Effort::kBest ? kBest : kDefault, codes);
    store(x, codes, blocks, to);
  }

  static void store(const F* x, const int* codes, std::size_t blocks, std::uint8_t* to) {
    float inverse[16];
    for (std::size_t g = 0; g < 16; ++g) inverse[g] = codes[g] == 0 ? 0 : 1 / unit_of(codes[g]);
    std::uint8_t level_codes[16][16];
    for (std::size_t j = 0; j < 16; ++j) {
      const I path = Levels::path_of(L::mul(L::abs(x[j]), L::load(inverse)));
      L::store_bytes(level_codes[j], Levels::signed_code(x[j], path));
    }
    for (std::size_t b = 0; b < blocks; ++b, to += 36) {
      for (std::size_t s = 0; s < 4; ++s) {
        const std::size_t g = 4 * b + s;
        to[s] = static_cast<std::uint8_t>(codes[g]);
        for (std::size_t i = 0; i < 8; ++i) {
          to[4 + 8 * s + i] =
              static_cast<std::uint8_t>(level_codes[i][g] | level_codes[i + 8][g] << 4);
        }
      }
    }
  }

  static void encode(const EncodeJob& job) {
    SixteenGroups<L, 16, 4, 36>::for_each(
        job, [&job](const float* from, const float* importance, std::size_t blocks,
                    std::uint8_t* to) { encode_group(from, importance, blocks, job.effort, to); });
  }
};

}  // namespace qbuild::kernels
