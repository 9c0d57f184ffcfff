#pragma once
// Types of two to four levels around zero: Q1_0, Q2_0, TQ1_0 and TQ2_0, y = d*level.
//
// The sixteen lanes are neighbouring values of one block. The reference takes the largest magnitude
// for d, which suits models trained on such levels and is poor for others. Here d is searched: step
// sizes as parts of the largest magnitude, of both signs where the levels are not even, each with
// its least-squares scale; then rounding and least squares in turn (docs/types/few-levels.md).
// Where every value is a multiple of one number, as trained, that is the number found.

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/encode_scale_lanes.h"

namespace qbuild::kernels {

// Levels from kLowest to kHighest in blocks of kValues.
template <class L, std::size_t kValues, int kLowest, int kHighest>
struct FewLevels {
  using F = typename L::F;
  using Scale = ScaleKernels<L>;
  static constexpr std::size_t kRegisters = kValues / 16;
  static constexpr float kMagic = 0x1.8p+23F;  // adding it rounds to an integer, ties to even
  static constexpr int kCandidates = 14;
  static constexpr int kBestCandidates = 43;
  // Of the largest magnitude.
  static constexpr float kSmallestPart = 0.2F;
  static constexpr float kLargestPart = 1.04F;
  static constexpr int kRefits = 2;

  struct Values {
    F x[kRegisters], w[kRegisters];
    float most;  // magnitude
  };
  struct Rounding {
    float lx, ll;  // sums of w*l*x and w*l*l
  };

  static void load(const float* from, const float* importance, Values* v) {
    F most = L::set(0);
    for (std::size_t i = 0; i < kRegisters; ++i) {
      v->x[i] = L::load(from + 16 * i);
      v->w[i] = importance == nullptr ? L::set(1) : L::load(importance + 16 * i);
      most = L::max(L::abs(v->x[i]), most);
    }
    v->most = L::fold_max(most);
  }

  static F magic_level(F x, F inverse) {
    const F t = L::fma(x, inverse, L::set(kMagic));
    return L::min(L::max(t, L::set(kMagic + kLowest)), L::set(kMagic + kHighest));
  }
  static Rounding round(const Values& v, float inverse) {
    F lx = L::set(0);
    F ll = L::set(0);
    for (std::size_t i = 0; i < kRegisters; ++i) {
      const F l = L::sub(magic_level(v.x[i], L::set(inverse)), L::set(kMagic));
      const F wl = L::mul(v.w[i], l);
      lx = L::fma(wl, v.x[i], lx);
      ll = L::fma(wl, l, ll);
    }
    return {L::fold_add(lx), L::fold_add(ll)};
  }
  static float inverse_of(float d) { return d < 0 || d > 0 ? 1 / d : 0; }

  static float search(const Values& v, Effort effort) {
    if (!(v.most > 0)) return 0;
    const int count = effort == Effort::kBest ? kBestCandidates : kCandidates;
    const float step = (kLargestPart - kSmallestPart) / static_cast<float>(count - 1);
    float d = 0;
    float best_score = 0;
    for (int k = 0; k < count; ++k) {
      const float scale = v.most * (kSmallestPart + step * static_cast<float>(k));
      for (const float sign : {1.0F, -1.0F}) {
        if (sign < 0 && kHighest == -kLowest) continue;
        const Rounding r = round(v, inverse_of(sign * scale));
        if (!(r.ll > 0) || !(r.lx * (r.lx / r.ll) > best_score)) continue;
        best_score = r.lx * (r.lx / r.ll);
        d = r.lx / r.ll;
      }
    }
    d = Scale::round_one(d);
    for (int i = 0; i < kRefits; ++i) {
      const Rounding r = round(v, inverse_of(d));
      if (!(r.ll > 0)) break;
      const float fitted = Scale::round_one(r.lx / r.ll);
      const auto error = [&](float a) { return a * (a * r.ll - 2 * r.lx); };
      if (!(error(fitted) < error(d))) break;
      d = fitted;
    }
    return d;
  }

  // One code, from 0, per byte in row order; returns d.
  static float encode(const float* from, const float* importance, Effort effort,
                      std::uint8_t* codes) {
    Values v;
    load(from, importance, &v);
    const float d = search(v, effort);
    const F inverse = L::set(inverse_of(d));
    for (std::size_t i = 0; i < kRegisters; ++i) {
      L::store_bytes(codes + 16 * i,
                     L::add_int(L::bits(magic_level(v.x[i], inverse)), L::set_int(-kLowest)));
    }
    return d;
  }
};

template <class L>
struct FewLevelsEncoders {
  using F = typename L::F;
  using I = typename L::I;
  using Scale = ScaleKernels<L>;

  static const float* importance_of(const EncodeJob& job, std::size_t first) {
    return job.importance == nullptr ? nullptr : job.importance + first;
  }

  // d is the weighted mean of the magnitudes, which is the best there is, and the bits are signs.
  static void q1_0(const EncodeJob& job) {
    std::uint8_t* to = job.out;
    for (std::size_t b = 0; b < job.blocks; ++b, to += 18) {
      const float* from = job.values + 128 * b;
      const float* importance = importance_of(job, 128 * b);
      F sum_w = L::set(0);
      F sum = L::set(0);
      for (std::size_t i = 0; i < 128; i += 16) {
        const F x = L::load(from + i);
        const F w = importance == nullptr ? L::set(1) : L::load(importance + i);
        sum_w = L::add(sum_w, w);
        sum = L::fma(w, L::abs(x), sum);
        const std::uint32_t negative = L::template bit_of_lanes<31>(L::bits(x));
        const auto bits = static_cast<std::uint16_t>(~negative);
        __builtin_memcpy(to + 2 + i / 8, &bits, sizeof bits);
      }
      Scale::store_bits(to, L::fold_add(sum) / L::fold_add(sum_w));
    }
  }

  static void q2_0(const EncodeJob& job) {
    std::uint8_t* to = job.out;
    for (std::size_t b = 0; b < job.blocks; ++b, to += 18) {
      std::uint8_t c[64];
      Scale::store_bits(to, FewLevels<L, 64, -1, 2>::encode(
                                job.values + 64 * b, importance_of(job, 64 * b), job.effort, c));
      for (std::size_t i = 0; i < 16; ++i) {
        to[2 + i] = static_cast<std::uint8_t>(c[4 * i] | c[4 * i + 1] << 2 | c[4 * i + 2] << 4 |
                                              c[4 * i + 3] << 6);
      }
    }
  }

  static void tq2_0(const EncodeJob& job) {
    std::uint8_t* to = job.out;
    for (std::size_t b = 0; b < job.blocks; ++b, to += 66) {
      std::uint8_t codes[256];
      const float d = ternary(job, b, codes);
      for (std::size_t half = 0; half < 2; ++half) {
        const std::uint8_t* c = codes + 128 * half;
        for (std::size_t i = 0; i < 32; ++i) {
          to[32 * half + i] =
              static_cast<std::uint8_t>(c[i] | c[i + 32] << 2 | c[i + 64] << 4 | c[i + 96] << 6);
        }
      }
      Scale::store_bits(to + 64, d);
    }
  }

  static void tq1_0(const EncodeJob& job) {
    std::uint8_t* to = job.out;
    for (std::size_t b = 0; b < job.blocks; ++b, to += 54) {
      std::uint8_t codes[256];
      const float d = ternary(job, b, codes);
      for (std::size_t i = 0; i < 32; ++i) to[i] = five_digits(codes + i, 32, 5);
      for (std::size_t i = 0; i < 16; ++i) to[32 + i] = five_digits(codes + 160 + i, 16, 5);
      for (std::size_t i = 0; i < 4; ++i) to[48 + i] = five_digits(codes + 240 + i, 4, 4);
      Scale::store_bits(to + 52, d);
    }
  }
  static float ternary(const EncodeJob& job, std::size_t b, std::uint8_t* codes) {
    return FewLevels<L, 256, -1, 1>::encode(job.values + 256 * b, importance_of(job, 256 * b),
                                            job.effort, codes);
  }
  // `count` codes, `stride` apart, as digits of base 3 in a byte; a missing fifth digit is 0.
  static std::uint8_t five_digits(const std::uint8_t* codes, std::size_t stride,
                                  std::size_t count) {
    unsigned v = 0;
    for (std::size_t n = 0; n < 5; ++n) v = 3 * v + (n < count ? codes[n * stride] : 0U);
    return static_cast<std::uint8_t>((v * 256 + 242) / 243);
  }
};

}  // namespace qbuild::kernels
