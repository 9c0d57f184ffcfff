#pragma once
// What the encoders of scale*level share: sixteen groups of kValues values, one per lane, whose
// codes stand for fixed levels.
//
// For a given rounding to levels l the best scale is (sum of w*l*x)/(sum of w*l*l); it explains
// (sum of w*l*x)^2/(sum of w*l*l) of the energy (docs/types/encoders.md).

#include <cstddef>
#include <cstdint>

#include "kernels/encode_odd_lanes.h"
#include "kernels/halves.h"

namespace qbuild::kernels {

// The ends of the levels that a rounding has to be held at, because it could pass them.
enum class Held { kAtNone, kAtHighest, kAtBoth };

// Levels -kTop to kTop - 1; the code of level l is l + kTop.
template <class L, int kTop>
struct EvenLevels {
  using F = typename L::F;
  using I = typename L::I;
  static constexpr float kMagic = 0x1.8p+23F;  // adding it rounds to an integer, ties to even

  // For products of at most that magnitude.
  static constexpr Held held_within(float magnitude) {
    constexpr float kStays = 0.49F;  // a little less than a half, for the error of a product
    if (magnitude < kTop - 1 + kStays) return Held::kAtNone;
    return magnitude < kTop + kStays ? Held::kAtHighest : Held::kAtBoth;
  }

  template <Held kHeld>
  static F magic_level(F x, F inverse) {
    F t = L::fma(x, inverse, L::set(kMagic));
    if constexpr (kHeld == Held::kAtBoth) t = L::max(t, L::set(kMagic - kTop));
    if constexpr (kHeld != Held::kAtNone) t = L::min(t, L::set(kMagic + (kTop - 1)));
    return t;
  }
  // The level nearest to x*inverse.
  template <Held kHeld>
  static F level(F x, F inverse) {
    return L::sub(magic_level<kHeld>(x, inverse), L::set(kMagic));
  }
  // The codes of 32 values.
  static void codes_32(const float* x, const Halves& inverse, std::uint8_t* codes) {
    L::template round_32<0, 2 * kTop - 1>(x, inverse, kTop, codes);
  }
};

// Where to try to put the value of largest magnitude: at level -first, then -(first + step) and so
// on. Negative ones give the scale the other sign.
struct ScaledCandidates {
  int count;
  float first, step;
};

// How to search for the scales of a super-block.
struct ScaledSearch {
  ScaledCandidates candidates[2];
  float evenness = 0;  // of weights; without it values weigh rms + |x|
  int refinements = 1;
  int reach[3] = {1};  // scale codes to try to both sides of the present one, in each refinement
  // The scale of largest magnitude gets these parts of the largest code; one search for each.
  int start_count = 1;
  float starts[3] = {1};
};

template <class L, std::size_t kValues, class Levels>
struct ScaledKernels {
  using F = typename L::F;

  struct Values {
    F x[kValues], w[kValues];
    F most;  // the value of largest magnitude; of two that differ in sign only, the positive one
    F inverse_most;
    F squares;
    F odd;  // as in kernels/encode_odd_lanes.h
  };
  struct Rounding {
    F lx, ll;  // sums of w*l*x and w*l*l
  };
  struct Fit {
    F scale, score;
  };

  static F nonzero_or_one(F a) { return L::select_less(L::set(0), L::abs(a), a, L::set(1)); }

  // All but the weights.
  static void look_over(Values* v) {
    F squares = L::set(0);
    F highest = v->x[0];
    F lowest = v->x[0];
    for (const F& x : v->x) {
      squares = L::fma(x, x, squares);
      highest = L::max(x, highest);
      lowest = L::min(x, lowest);
    }
    v->most = L::select_less(L::add(highest, lowest), L::set(0), lowest, highest);
    v->inverse_most = L::div(L::set(1), nonzero_or_one(v->most));
    v->squares = squares;
    v->odd = OddKernels<L, kValues>::odd(lowest, highest, squares);
  }
  static void weigh_plainly(Values* v) {
    const F rms = L::sqrt(L::mul(v->squares, L::set(1.0F / kValues)));
    for (std::size_t j = 0; j < kValues; ++j) v->w[j] = L::add(rms, L::abs(v->x[j]));
  }

  template <Held kHeld = Held::kAtBoth>
  static Rounding round(const Values& v, const F& inverse) {
    // Of sixteen values compilers unroll the loop, and amid other code then run out of registers.
    if constexpr (kValues <= 16) return round_apart<kHeld>(v, inverse);
    return sums<kHeld>(v, inverse);
  }
  template <Held kHeld>
  [[gnu::noinline]] static Rounding round_apart(const Values& v, const F& inverse) {
    return sums<kHeld>(v, inverse);
  }
  template <Held kHeld>
  static Rounding sums(const Values& v, const F& inverse) {
    Rounding r{L::set(0), L::set(0)};
    for (std::size_t j = 0; j < kValues; ++j) {
      const F l = Levels::template level<kHeld>(v.x[j], inverse);
      const F wl = L::mul(v.w[j], l);
      r.lx = L::fma(wl, v.x[j], r.lx);
      r.ll = L::fma(wl, l, r.ll);
    }
    return r;
  }
  // The error of a rounding without the sum of w*x*x, which all roundings share.
  static F error_of(const Rounding& r, F scale) {
    return L::mul(scale, L::sub(L::mul(scale, r.ll), L::mul(L::set(2), r.lx)));
  }

  // With the value of largest magnitude at level -first, so that no other product is larger. Where
  // all values are so small that the factor is infinite, the sums are not numbers.
  static Rounding round_within(const Values& v, float first) {
    const F inverse = L::mul(L::set(-first), v.inverse_most);
    switch (Levels::held_within(first < 0 ? -first : first)) {
      case Held::kAtNone:
        return round<Held::kAtNone>(v, inverse);
      case Held::kAtHighest:
        return round<Held::kAtHighest>(v, inverse);
      case Held::kAtBoth:
        break;
    }
    return round(v, inverse);
  }

  static Fit no_fit() { return {L::set(0), L::set(0)}; }
  // `count` of each: while one waits for a quotient, the next ones go on.
  static void fit(const Values* v, std::size_t count, const ScaledCandidates& candidates,
                  Fit* best) {
    for (int k = 0; k < candidates.count; ++k) {
      const float level = candidates.first + candidates.step * static_cast<float>(k);
      for (std::size_t i = 0; i < count; ++i) {
        const Rounding r = round_within(v[i], level);
        const F scale = L::div(r.lx, nonzero_or_one(r.ll));
        const F score = L::mul(scale, r.lx);
        best[i].scale = L::select_less(best[i].score, score, scale, best[i].scale);
        best[i].score = L::max(score, best[i].score);
      }
    }
  }
};

}  // namespace qbuild::kernels
