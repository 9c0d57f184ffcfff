#pragma once
// Q2_K, Q4_K and Q5_K: super-blocks of 256 values in sub-blocks of 16 or 32, y = (d*sc)*code -
// dmin*m.
//
// Sixteen sub-blocks go together, one per lane, and nothing is summed across lanes but the few
// numbers of a super-block.
//
//   1  fit     Per sub-block a handful of step sizes around range/levels, each with its
//              least-squares scale and minimum.
//   2  code    d and dmin from the largest scale and minimum; codes for the others.
//   3  refine  Per sub-block the scale codes beside the present one, each with the best code of a
//              minimum for its rounding; then least squares for d and dmin over the super-block, if
//              that lowers the error.
//   4  round   Every value with the scales as they are stored.
//
// Values weigh rms + |x| or, with importance, as kernels/encode_weights_lanes.h says. Closed forms
// and two rounds of refinement have less error than the reference, in a fraction of its time
// (docs/types/encoders.md); candidates were chosen on the data that is described there.
//
// Effort::kBest tries minimum codes beside the present one, too, and begins several times, with
// other values of d and dmin. Its weights are more even, because what it is to beat, joint
// refinement (docs/types/encoders.md), has even ones. Super-blocks that are no bell are searched so
// whatever the effort (kernels/encode_odd_lanes.h).

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/encode_affine_k_store_lanes.h"
#include "kernels/encode_affine_lanes.h"
#include "kernels/encode_odd_lanes.h"
#include "kernels/encode_scale_lanes.h"
#include "kernels/encode_sixteen_lanes.h"
#include "kernels/encode_weights_lanes.h"

namespace qbuild::kernels {

// How a type is laid out and searched.
struct AffineQ2K {
  static constexpr std::size_t kValues = 16;  // of a sub-block
  static constexpr int kTopCode = 3;
  static constexpr float kTopScale = 15;
  static constexpr std::size_t kBlockBytes = 84;
  static constexpr AffineSearch kPlain{.candidates = {7, -0.9F, 0.25F}};
  static constexpr AffineSearch kWeighted{.candidates = {7, -0.9F, 0.25F}, .evenness = 4};
  static constexpr AffineSearch kBest{.candidates = {21, -1.2F, 0.1F},
                                      .evenness = 16,
                                      .scale_reach = 2,
                                      .minimum_reach = 2,
                                      .start_count = 3,
                                      .starts = {1, 0.95F, 0.9F}};
  template <class Store>
  static void store(const typename Store::Block& block, std::uint8_t* to) {
    Store::q2_k(block, to);
  }
};
struct AffineQ4K {
  static constexpr std::size_t kValues = 32;
  static constexpr int kTopCode = 15;
  static constexpr float kTopScale = 63;
  static constexpr std::size_t kBlockBytes = 144;
  static constexpr AffineSearch kPlain{.candidates = {9, -1.6F, 0.25F}};
  static constexpr AffineSearch kWeighted{
      .candidates = {13, -2.0F, 0.2F}, .evenness = 4, .refinements = 3};
  static constexpr AffineSearch kBest{.candidates = {29, -2.0F, 0.125F},
                                      .evenness = 16,
                                      .scale_reach = 2,
                                      .minimum_reach = 2,
                                      .start_count = 3,
                                      .starts = {1, 0.95F, 0.9F}};
  template <class Store>
  static void store(const typename Store::Block& block, std::uint8_t* to) {
    Store::q4_k(block, to);
  }
};
struct AffineQ5K {
  static constexpr std::size_t kValues = 32;
  static constexpr int kTopCode = 31;
  static constexpr float kTopScale = 63;
  static constexpr std::size_t kBlockBytes = 176;
  static constexpr AffineSearch kPlain{.candidates = {9, -1.6F, 0.25F}};
  static constexpr AffineSearch kWeighted{.candidates = {9, -1.6F, 0.25F}, .evenness = 4};
  static constexpr AffineSearch kBest{.candidates = {29, -2.0F, 0.125F},
                                      .evenness = 16,
                                      .scale_reach = 2,
                                      .minimum_reach = 2,
                                      .start_count = 3,
                                      .starts = {1, 0.95F, 0.9F}};
  template <class Store>
  static void store(const typename Store::Block& block, std::uint8_t* to) {
    Store::q5_k(block, to);
  }
};

template <class L, class Type>
struct AffineKEncoder {
  static constexpr std::size_t kValues = Type::kValues;
  using F = typename L::F;
  using Scale = ScaleKernels<L>;
  using Store = AffineKStore<L>;
  using Weights = WeightKernels<L, kValues>;
  using Odd = OddKernels<L, kValues>;
  using Kernels = AffineKernels<L, kValues, Type::kTopCode>;
  using Values = typename Kernels::Values;
  using Rounding = typename Kernels::Rounding;
  using Fit = typename Kernels::Fit;

  static constexpr std::size_t kSubBlocks = 256 / kValues;   // of a super-block
  static constexpr std::size_t kTogether = 16 / kSubBlocks;  // super-blocks
  static constexpr float kTopScale = Type::kTopScale;

  // What is stored, but for the codes of the values.
  struct Scales {
    F sc, m;  // codes, as floats
    float d[kTogether], dmin[kTogether];
  };

  // One number per super-block, in the lanes of its sub-blocks.
  static F spread(const float* numbers) {
    float lanes[16];
    for (std::size_t g = 0; g < 16; ++g) lanes[g] = numbers[g / kSubBlocks];
    return L::load(lanes);
  }

  static const AffineSearch& search_of(const EncodeJob& job) {
    if (job.effort == Effort::kBest) return Type::kBest;
    return job.importance == nullptr ? Type::kPlain : Type::kWeighted;
  }

  static void load(const float* from, const float* importance, float evenness, Values* v) {
    const F zero = L::set(0);
    Weights::transpose(from, v->x);
    F squares = zero;
    v->lowest = zero;
    v->highest = v->x[0];
    for (const F& x : v->x) {
      squares = L::fma(x, x, squares);
      v->lowest = L::min(x, v->lowest);
      v->highest = L::max(x, v->highest);
    }
    v->odd = Odd::odd(v->lowest, v->highest, squares);
    if (evenness > 0) {
      Weights::weigh(v->x, squares, importance, kSubBlocks, evenness, v->w);
    } else {
      const F rms = L::sqrt(L::mul(squares, L::set(1.0F / kValues)));
      for (std::size_t j = 0; j < kValues; ++j) v->w[j] = L::add(rms, L::abs(v->x[j]));
    }
    Kernels::add_up(v);
  }

  // The largest scale and minimum get the code top.
  static Scales code(const Fit& fit, float top) {
    Scales s;
    float scale[16];
    float minimum[16];
    L::store(scale, fit.scale);
    L::store(minimum, fit.minimum);
    for (std::size_t b = 0; b < kTogether; ++b) {
      float most_scale = 0;
      float most_minimum = 0;
      for (std::size_t g = kSubBlocks * b; g < kSubBlocks * (b + 1); ++g) {
        most_scale = scale[g] > most_scale ? scale[g] : most_scale;
        most_minimum = minimum[g] > most_minimum ? minimum[g] : most_minimum;
      }
      s.d[b] = Scale::round_one(most_scale / top);
      s.dmin[b] = Scale::round_one(most_minimum / top);
    }
    s.sc = code_of(fit.scale, Scale::inverse(spread(s.d)));
    s.m = code_of(fit.minimum, Scale::inverse(spread(s.dmin)));
    return s;
  }
  static F code_of(F number, F inverse) {
    return Kernels::clamp(Kernels::to_integer(L::mul(number, inverse)), kTopScale);
  }

  // Scale and minimum codes within reach of the present ones; returns the errors
  // of the codes it chose, before d and dmin were fitted to them.
  static F refine(const Values& v, int scale_reach, int minimum_reach, Scales* s) {
    const F d = spread(s->d);
    const F dmin = spread(s->dmin);
    const F inverse_dmin = Scale::inverse(dmin);
    const Scales present = *s;
    F best_error = L::set(Kernels::kNoErrorYet);
    Rounding best{L::set(0), L::set(0), L::set(0)};
    for (int minimum_step = -minimum_reach; minimum_step <= minimum_reach; ++minimum_step) {
      const F shift = L::set(static_cast<float>(minimum_step));
      const F minimum = L::mul(Kernels::clamp(L::add(present.m, shift), kTopScale), dmin);
      for (int step = -scale_reach; step <= scale_reach; ++step) {
        const F sc =
            Kernels::clamp(L::add(present.sc, L::set(static_cast<float>(step))), kTopScale);
        const F scale = L::mul(sc, d);
        const F inverse = Scale::inverse(scale);
        const Rounding r = Kernels::round(v, inverse, L::mul(minimum, inverse));
        const F best_minimum =
            L::div(L::sub(L::mul(scale, r.l), v.sum_wx), Kernels::positive_or_one(v.sum_w));
        const F m = code_of(best_minimum, inverse_dmin);
        const F error = Kernels::error_of(v, r, scale, L::mul(m, dmin));
        s->sc = L::select_less(error, best_error, sc, s->sc);
        s->m = L::select_less(error, best_error, m, s->m);
        best.l = L::select_less(error, best_error, r.l, best.l);
        best.ll = L::select_less(error, best_error, r.ll, best.ll);
        best.lx = L::select_less(error, best_error, r.lx, best.lx);
        best_error = L::min(error, best_error);
      }
    }
    refit(v, best, s);
    return best_error;
  }

  // d and dmin for fixed codes: the least of ss*d*d - 2*sm*d*dmin + mm*dmin*dmin - 2*sx*d +
  // 2*mx*dmin.
  static void refit(const Values& v, const Rounding& r, Scales* s) {
    float ss[16], sm[16], mm[16], sx[16], mx[16];
    L::store(ss, L::mul(L::mul(s->sc, s->sc), r.ll));
    L::store(sm, L::mul(L::mul(s->sc, s->m), r.l));
    L::store(mm, L::mul(L::mul(s->m, s->m), v.sum_w));
    L::store(sx, L::mul(s->sc, r.lx));
    L::store(mx, L::mul(s->m, v.sum_wx));
    for (std::size_t b = 0; b < kTogether; ++b) {
      // Binary16's denormals are too coarse for this to be more than noise.
      if (Scale::kSmallestNormal > s->d[b]) continue;
      double t_ss = 0, t_sm = 0, t_mm = 0, t_sx = 0, t_mx = 0;
      for (std::size_t g = kSubBlocks * b; g < kSubBlocks * (b + 1); ++g) {
        t_ss += static_cast<double>(ss[g]);
        t_sm += static_cast<double>(sm[g]);
        t_mm += static_cast<double>(mm[g]);
        t_sx += static_cast<double>(sx[g]);
        t_mx += static_cast<double>(mx[g]);
      }
      const auto error = [&](float d_new, float dmin_new) {
        const auto a = static_cast<double>(d_new);
        const auto c = static_cast<double>(dmin_new);
        return a * (t_ss * a - 2 * t_sx) + c * (t_mm * c + 2 * t_mx - 2 * t_sm * a);
      };
      const double determinant = t_ss * t_mm - t_sm * t_sm;
      const bool solvable =
          determinant > static_cast<double>(Kernels::kSmallestDeterminant) * t_ss * t_mm;
      if (!solvable && !(t_ss > 0)) continue;
      // Without minimums only d is free.
      const double d_best = solvable ? (t_sx * t_mm - t_sm * t_mx) / determinant
                                     : (t_sx + t_sm * static_cast<double>(s->dmin[b])) / t_ss;
      const double dmin_best =
          solvable ? (t_sm * t_sx - t_ss * t_mx) / determinant : static_cast<double>(s->dmin[b]);
      const float d_new = Scale::round_one(static_cast<float>(d_best));
      const float dmin_new = Scale::round_one(static_cast<float>(dmin_best));
      if (d_new > 0 && dmin_new >= 0 && error(d_new, dmin_new) < error(s->d[b], s->dmin[b])) {
        s->d[b] = d_new;
        s->dmin[b] = dmin_new;
      }
    }
  }

  static Scales search(const Values& v, const AffineSearch& how) {
    const Fit fit = Kernels::template fit<false>(v, how.candidates);
    Scales best{};
    F best_error = L::set(Kernels::kNoErrorYet);
    for (int start = 0; start < how.start_count; ++start) {
      Scales s = code(fit, how.starts[start] * kTopScale);
      F error = best_error;
      for (int i = 0; i < how.refinements; ++i) {
        error = refine(v, how.scale_reach, how.minimum_reach, &s);
      }
      if (how.start_count == 1) return s;
      keep_better(s, Weights::sum_together(error, kSubBlocks), &best, &best_error);
    }
    return best;
  }
  static void keep_better(const Scales& s, F error, Scales* best, F* best_error) {
    float errors[16], best_errors[16];
    L::store(errors, error);
    L::store(best_errors, *best_error);
    for (std::size_t b = 0; b < kTogether; ++b) {
      const std::size_t g = kSubBlocks * b;
      if (!(errors[g] < best_errors[g])) continue;
      best->d[b] = s.d[b];
      best->dmin[b] = s.dmin[b];
    }
    best->sc = L::select_less(error, *best_error, s.sc, best->sc);
    best->m = L::select_less(error, *best_error, s.m, best->m);
    *best_error = L::min(error, *best_error);
  }

  // Searches those blocks once more that are odd. Few are, so this stays out of the others' way.
  [[gnu::noinline]] static void search_odd(const float* from, const float* importance, F odd,
                                           Scales* s) {
    Values v;
    load(from, importance, Type::kBest.evenness, &v);
    const Scales best = search(v, Type::kBest);
    float lanes[16];
    L::store(lanes, odd);
    for (std::size_t b = 0; b < kTogether; ++b) {
      if (!(lanes[kSubBlocks * b] > 0)) continue;
      s->d[b] = best.d[b];
      s->dmin[b] = best.dmin[b];
    }
    s->sc = Odd::select(odd, best.sc, s->sc);
    s->m = Odd::select(odd, best.m, s->m);
  }

  static void store(const Values& v, const Scales& s, std::size_t blocks, std::uint8_t* to) {
    std::uint32_t codes[kValues / 4][16];
    const F inverse = Scale::inverse(L::mul(s.sc, spread(s.d)));
    const F offset = L::mul(L::mul(s.m, spread(s.dmin)), inverse);
    Kernels::round_values(v, inverse, offset, codes);
    float sc[16];
    float m[16];
    L::store(sc, s.sc);
    L::store(m, s.m);
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::size_t first = kSubBlocks * b;
      Type::template store<Store>({.d = s.d[b],
                                   .dmin = s.dmin[b],
                                   .sc = sc + first,
                                   .m = m + first,
                                   .codes = codes,
                                   .first = first},
                                  to + Type::kBlockBytes * b);
    }
  }

  static void encode(const EncodeJob& job) {
    const AffineSearch& how = search_of(job);
    SixteenGroups<L, kValues, kSubBlocks, Type::kBlockBytes>::for_each(
        job,
        [&how](const float* from, const float* importance, std::size_t blocks, std::uint8_t* to) {
          Values v;
          load(from, importance, how.evenness, &v);
          Scales s = search(v, how);
          if (&how != &Type::kBest && Odd::is_any(v.odd, kSubBlocks * blocks)) {
            search_odd(from, importance, Odd::blocks_of(v.odd, kSubBlocks, blocks), &s);
          }
          store(v, s, blocks, to);
        });
  }
};

}  // namespace qbuild::kernels
