#pragma once
// Q4_1 and Q5_1 where there is something to search: with importance, or with Effort::kBest. Blocks
// of 32 values, y = d*code + m; sixteen blocks go together, one per lane.
//
// A few step sizes around range/levels, each with its least-squares scale and minimum; then
// rounding and least squares in turn, with d and m as they are stored. Minimums above zero are
// tried, too, which the reference does not do. Sources and the data that candidates were chosen on:
// docs/types/encoders.md.
//
// The mean square in a value's weight is that of its block, where the reference's is of the row: a
// block's bytes then depend on its own values only.

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/encode_affine_lanes.h"
#include "kernels/encode_block_store_lanes.h"
#include "kernels/encode_odd_lanes.h"
#include "kernels/encode_scale_lanes.h"
#include "kernels/encode_sixteen_lanes.h"
#include "kernels/encode_weights_lanes.h"

namespace qbuild::kernels {

template <class L, int kTopCode>
struct AffineBlockEncoder {
  using F = typename L::F;
  using Scale = ScaleKernels<L>;
  using Store = BlockStore<L>;
  using Weights = WeightKernels<L, 32>;
  using Odd = OddKernels<L, 32>;
  using Kernels = AffineKernels<L, 32, kTopCode>;
  using Values = typename Kernels::Values;
  using Rounding = typename Kernels::Rounding;
  using Fit = typename Kernels::Fit;
  static constexpr std::size_t kBlockBytes = kTopCode == 31 ? 24 : 20;
  static constexpr float kEvenness = 4;
  static constexpr float kBestEvenness = 16;
  static constexpr AffineCandidates kCandidates{11, -2.2F, 0.3F};
  static constexpr AffineCandidates kBestCandidates{31, -2.4F, 0.1F};
  static constexpr int kRefits = 1;
  static constexpr int kBestRefits = 3;

  static void load(const float* from, const float* importance, Effort effort, Values* v) {
    Weights::transpose(from, v->x);
    F squares = L::set(0);
    v->lowest = v->highest = v->x[0];
    for (const F& x : v->x) {
      squares = L::fma(x, x, squares);
      v->lowest = L::min(x, v->lowest);
      v->highest = L::max(x, v->highest);
    }
    v->odd = Odd::odd(v->lowest, v->highest, squares);
    Weights::weigh(v->x, squares, importance, 1,
                   effort == Effort::kBest ? kBestEvenness : kEvenness, v->w);
    Kernels::add_up(v);
  }

  // As they are stored; the error is that of the rounding that they were fitted to.
  static Fit stored(const Values& v, const Fit& fit, const Rounding& r) {
    const F scale = Scale::round_held(fit.scale);
    // The best minimum for the scale as it is now.
    const F minimum =
        L::div(L::sub(L::mul(scale, r.l), v.sum_wx), Kernels::positive_or_one(v.sum_w));
    const F rounded = L::round_f16(Scale::hold(minimum));
    return {scale, rounded, Kernels::error_of(v, r, scale, rounded)};
  }
  static Rounding round(const Values& v, const Fit& fit) {
    const F inverse = Scale::inverse(fit.scale);
    return Kernels::round(v, inverse, L::mul(fit.minimum, inverse));
  }
  static Fit search(const Values& v, Effort effort) {
    const bool best_effort = effort == Effort::kBest;
    Fit fit = Kernels::template fit<true>(v, best_effort ? kBestCandidates : kCandidates);
    fit = stored(v, fit, round(v, fit));
    for (int i = 0; i < (best_effort ? kBestRefits : kRefits); ++i) {
      const Rounding r = round(v, fit);
      fit.error = Kernels::error_of(v, r, fit.scale, fit.minimum);
      const Fit fitted = stored(v, Kernels::template solve<true>(v, r, fit), r);
      Kernels::keep_better(fitted, &fit, L::set(0));
    }
    return fit;
  }

  // Few blocks are odd, so this stays out of the others' way.
  [[gnu::noinline]] static void search_odd(const float* from, const float* importance, F odd,
                                           Fit* fit) {
    Values v;
    load(from, importance, Effort::kBest, &v);
    const Fit best = search(v, Effort::kBest);
    fit->scale = Odd::select(odd, best.scale, fit->scale);
    fit->minimum = Odd::select(odd, best.minimum, fit->minimum);
  }

  static void encode(const EncodeJob& job) {
    SixteenGroups<L, 32, 1, kBlockBytes>::for_each(
        job,
        [&job](const float* from, const float* importance, std::size_t blocks, std::uint8_t* to) {
          Values v;
          load(from, importance, job.effort, &v);
          Fit fit = search(v, job.effort);
          if (job.effort != Effort::kBest && Odd::is_any(v.odd, blocks)) {
            search_odd(from, importance, v.odd, &fit);
          }
          const auto scales = Store::scales_of(fit.scale, L::sub(L::set(0), fit.minimum));
          if constexpr (kTopCode == 31) {
            Store::q5_1({from, blocks}, scales, to);
          } else {
            Store::q4_1({from, blocks}, scales, to);
          }
        });
  }
};

}  // namespace qbuild::kernels
