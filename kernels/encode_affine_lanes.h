#pragma once
// What the encoders of scale*code - minimum share: sixteen groups of kValues values, one per lane,
// with codes from 0 to kTopCode. A sum over a group is a chain in its lane.
//
// For a given rounding to codes l the best scale and minimum, and their error, come in closed form
// from the sums of w*l, w*l*l and w*l*x (docs/types/encoders.md), so that no second pass over the
// values is needed.

#include <cstddef>
#include <cstdint>

#include "kernels/encode_scale_lanes.h"

namespace qbuild::kernels {

// The step sizes to try: range/(kTopCode + first), range/(kTopCode + first + step) and so on.
struct AffineCandidates {
  int count;
  float first, step;
};

// How to search for the scales and minimums of a super-block.
struct AffineSearch {
  AffineCandidates candidates;
  float evenness = 0;  // of weights; without it values weigh rms + |x|
  // Codes to try to both sides of the present ones, and rounds of that.
  int scale_reach = 1;
  int minimum_reach = 0;
  int refinements = 2;
  // The largest scale and minimum get these parts of the largest code; one search for each.
  int start_count = 1;
  float starts[3] = {1};
};

template <class L, std::size_t kValues, int kTopCode>
struct AffineKernels {
  using F = typename L::F;
  using I = typename L::I;

  static constexpr float kMagic = 0x1.8p+23F;  // adding it rounds to an integer, ties to even
  // Below this part of its largest possible value the determinant of a fit is noise of the sums.
  static constexpr float kSmallestDeterminant = 4e-6F;
  static constexpr float kNoErrorYet = 3e38F;
  // Errors that are closer than this part of the energy are alike: what is multiplied out has about
  // that much noise. Of alike candidates the first stays, so that sub-blocks that are alike get
  // alike scales.
  static constexpr float kNoise = 1e-6F;

  // x[j] is value j of each group, w[j] its weight, and the sums over j.
  struct Values {
    F x[kValues], w[kValues];
    F lowest, highest;
    F sum_w, sum_wx, sum_wxx;
    F odd;  // as in kernels/encode_odd_lanes.h
  };
  // Of one rounding to codes l: the sums of w*l, w*l*l, w*l*x.
  struct Rounding {
    F l, ll, lx;
  };
  struct Fit {
    F scale, minimum;  // y = scale*l - minimum, scale >= 0
    F error;
  };

  static F positive_or_one(F a) { return L::select_less(L::set(0), a, a, L::set(1)); }
  static F to_integer(F a) { return L::sub(L::add(a, L::set(kMagic)), L::set(kMagic)); }
  static F clamp(F a, float top) { return L::min(L::max(a, L::set(0)), L::set(top)); }

  // The sums that no rounding changes.
  static void add_up(Values* v) {
    v->sum_w = v->sum_wx = v->sum_wxx = L::set(0);
    for (std::size_t j = 0; j < kValues; ++j) {
      const F x = v->x[j];
      const F wx = L::mul(v->w[j], x);
      v->sum_w = L::add(v->sum_w, v->w[j]);
      v->sum_wx = L::add(v->sum_wx, wx);
      v->sum_wxx = L::fma(wx, x, v->sum_wxx);
    }
  }

  // (x + minimum)/scale rounded to a code, plus kMagic: its low bits are the code. kHeld: rounding
  // could pass the ends of the codes.
  template <bool kHeld>
  static F magic_code(F x, F inverse, F offset) {
    const F t = L::add(L::fma(x, inverse, offset), L::set(kMagic));
    if constexpr (!kHeld) return t;
    return L::min(L::max(t, L::set(kMagic)), L::set(kMagic + kTopCode));
  }
  template <bool kHeld = true>
  static Rounding round(const Values& v, F inverse, F offset) {
    Rounding r{L::set(0), L::set(0), L::set(0)};
    for (std::size_t j = 0; j < kValues; ++j) {
      const F l = L::sub(magic_code<kHeld>(v.x[j], inverse, offset), L::set(kMagic));
      const F wl = L::mul(v.w[j], l);
      r.l = L::add(r.l, wl);
      r.ll = L::fma(wl, l, r.ll);
      r.lx = L::fma(wl, v.x[j], r.lx);
    }
    return r;
  }
  // The sum of w*(scale*l - minimum - x)^2, multiplied out.
  static F error_of(const Values& v, const Rounding& r, F scale, F minimum) {
    const F two = L::set(2);
    const F of_scale = L::mul(scale, L::sub(L::mul(scale, r.ll), L::mul(two, r.lx)));
    const F cross = L::sub(L::mul(minimum, v.sum_w), L::mul(two, L::mul(scale, r.l)));
    const F of_minimum = L::mul(minimum, L::add(L::mul(two, v.sum_wx), cross));
    return L::add(v.sum_wxx, L::add(of_scale, of_minimum));
  }

  // The best scale and minimum for a rounding; `plain` where it does not determine them.
  // kAnySign: the minimum may be negative, which lifts all values.
  template <bool kAnySign>
  static Fit solve(const Values& v, const Rounding& r, const Fit& plain) {
    const F zero = L::set(0);
    const F most = L::mul(v.sum_w, r.ll);
    const F determinant = L::sub(most, L::mul(r.l, r.l));
    const F limit = L::mul(most, L::set(kSmallestDeterminant));
    const F divisor = positive_or_one(determinant);
    F scale = L::div(L::sub(L::mul(v.sum_w, r.lx), L::mul(v.sum_wx, r.l)), divisor);
    F minimum = L::div(L::sub(L::mul(r.l, r.lx), L::mul(r.ll, v.sum_wx)), divisor);
    if constexpr (!kAnySign) {
      // The best scale without a minimum.
      scale = L::select_less(minimum, zero, L::div(r.lx, positive_or_one(r.ll)), scale);
      minimum = L::max(minimum, zero);
    }
    scale = L::select_less(limit, determinant, L::max(scale, zero), plain.scale);
    minimum = L::select_less(limit, determinant, minimum, plain.minimum);
    return {scale, minimum, error_of(v, r, scale, minimum)};
  }

  // One is better that has less error by more than `margin`; best->error is below what it is by it.
  static void keep_better(const Fit& fit, Fit* best, F margin) {
    best->scale = L::select_less(fit.error, best->error, fit.scale, best->scale);
    best->minimum = L::select_less(fit.error, best->error, fit.minimum, best->minimum);
    const F bar = L::sub(fit.error, margin);
    best->error = L::select_less(fit.error, best->error, bar, best->error);
  }

  // With the lowest value at code 0 and the highest `levels` above it. Where all values are so
  // small that the factor is infinite, the sums are not numbers.
  static Rounding round_within(const Values& v, F range, F minimum, float levels) {
    constexpr float kStays = 0.49F;  // a little less than a half, for the error of a product
    const F inverse = L::div(L::set(levels), positive_or_one(range));
    const F offset = L::mul(minimum, inverse);
    return levels < kTopCode + kStays ? round<false>(v, inverse, offset)
                                      : round(v, inverse, offset);
  }

  template <bool kAnySign>
  static Fit fit(const Values& v, const AffineCandidates& candidates) {
    const F range = L::sub(v.highest, v.lowest);
    const F plain_minimum = L::sub(L::set(0), v.lowest);
    const Fit plain{L::div(range, L::set(kTopCode)), plain_minimum, L::set(kNoErrorYet)};
    Fit best = plain;
    const F noise = L::mul(v.sum_wxx, L::set(kNoise));
    for (int k = 0; k < candidates.count; ++k) {
      const float levels = kTopCode + candidates.first + candidates.step * static_cast<float>(k);
      const Rounding r = round_within(v, range, plain_minimum, levels);
      keep_better(solve<kAnySign>(v, r, plain), &best, noise);
    }
    return best;
  }

  // codes[c][g]: the codes 4c to 4c + 3 of group g, one per byte.
  static void round_values(const Values& v, F inverse, F offset, std::uint32_t (*codes)[16]) {
    // What is left of the bits of kMagic after four of them were shifted and added.
    const I magic_bits = L::set_int(static_cast<std::int32_t>(0x8b400000U));
    for (std::size_t c = 0; c < kValues / 4; ++c) {
      I code[4];
      for (std::size_t i = 0; i < 4; ++i) {
        code[i] = L::bits(magic_code<true>(v.x[4 * c + i], inverse, offset));
      }
      const I low = L::add_int(code[0], L::template shift_left<8>(code[1]));
      const I high =
          L::add_int(L::template shift_left<16>(code[2]), L::template shift_left<24>(code[3]));
      std::int32_t lanes[16];
      L::store_int(lanes, L::sub_int(L::add_int(low, high), magic_bits));
      __builtin_memcpy(codes[c], lanes, sizeof lanes);
    }
  }
};

}  // namespace qbuild::kernels
