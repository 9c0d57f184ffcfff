#pragma once
// Q4_0 and Q5_0 where there is something to search: with importance, or with Effort::kBest. Blocks
// of 32 values, y = d*level; sixteen blocks go together, one per lane.
//
// A few step sizes that put the value of largest magnitude at or near the lowest level, and with
// the other sign of d near the highest; the least-squares scale of the best rounding; then rounding
// and least squares in turn, with d as it is stored. Sources and the data that candidates were
// chosen on: docs/types/encoders.md.
//
// The mean square in a value's weight is that of its block, where the reference's is of the row: a
// block's bytes then depend on its own values only.

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/encode_block_store_lanes.h"
#include "kernels/encode_odd_lanes.h"
#include "kernels/encode_scale_lanes.h"
#include "kernels/encode_scaled_lanes.h"
#include "kernels/encode_sixteen_lanes.h"
#include "kernels/encode_table_levels_lanes.h"
#include "kernels/encode_weights_lanes.h"

namespace qbuild::kernels {

template <class L>
struct ScaledQ4_0 {
  using Levels = EvenLevels<L, 8>;
  using Kernels = ScaledKernels<L, 32, Levels>;
  static constexpr std::size_t kBlockBytes = 18;
  static constexpr ScaledCandidates kCandidates[] = {{6, 7.2F, 0.25F}, {4, -6.4F, -0.35F}};
  static constexpr ScaledCandidates kBestCandidates[] = {{27, 6.4F, 0.1F}, {21, -5.8F, -0.1F}};
  static constexpr auto kStore = BlockStore<L>::q4_0;
};
template <class L>
struct ScaledQ5_0 {
  using Levels = EvenLevels<L, 16>;
  using Kernels = ScaledKernels<L, 32, Levels>;
  static constexpr std::size_t kBlockBytes = 22;
  static constexpr ScaledCandidates kCandidates[] = {{6, 14.8F, 0.3F}, {4, -14.2F, -0.4F}};
  static constexpr ScaledCandidates kBestCandidates[] = {{27, 13.8F, 0.1F}, {21, -13.4F, -0.1F}};
  static constexpr auto kStore = BlockStore<L>::q5_0;
};

template <class L>
struct ScaledIQ4NL {
  using Levels = TableLevels<L>;
  using Kernels = ScaledKernels<L, 32, Levels>;
  static constexpr std::size_t kBlockBytes = 18;
  static constexpr ScaledCandidates kCandidates[] = {{7, 116, 3}, {4, -106, -4}};
  static constexpr ScaledCandidates kBestCandidates[] = {{27, 112, 1}, {21, -100, -1}};
  static constexpr auto kStore = BlockStore<L>::iq4_nl;
};

template <class L, class Type>
struct ScaledBlockEncoder {
  using F = typename L::F;
  using Scale = ScaleKernels<L>;
  using Store = BlockStore<L>;
  using Weights = WeightKernels<L, 32>;
  using Odd = OddKernels<L, 32>;
  using Kernels = typename Type::Kernels;
  using Values = typename Kernels::Values;
  using Rounding = typename Kernels::Rounding;
  using Fit = typename Kernels::Fit;
  static constexpr float kEvenness = 3;
  static constexpr float kBestEvenness = 16;
  static constexpr int kRefits = 1;
  static constexpr int kBestRefits = 3;

  static F search(const Values& v, Effort effort) {
    Fit fit = Kernels::no_fit();
    if (effort == Effort::kBest) {
      for (const auto& candidates : Type::kBestCandidates) Kernels::fit(&v, 1, candidates, &fit);
    } else {
      for (const auto& candidates : Type::kCandidates) Kernels::fit(&v, 1, candidates, &fit);
    }
    F d = Scale::round_held(fit.scale);
    for (int i = 0; i < (effort == Effort::kBest ? kBestRefits : kRefits); ++i) {
      const Rounding r = Kernels::round(v, Scale::inverse(d));
      const F fitted = Scale::round_held(L::div(r.lx, Kernels::nonzero_or_one(r.ll)));
      d = L::select_less(Kernels::error_of(r, fitted), Kernels::error_of(r, d), fitted, d);
    }
    const F denormal =
        L::select_less(L::abs(d), L::set(Scale::kSmallestNormal), L::set(1), L::set(0));
    return L::fold_max(denormal) > 0 ? with_denormals(v, d) : d;
  }

  // Denormal scales are far apart, and were rounded away from zero: perhaps the one before is
  // nearer, or none at all.
  static F with_denormals(const Values& v, F d) {
    const F zero = L::set(0);
    const F step = L::select_less(d, zero, L::set(-Scale::kStep), L::set(Scale::kStep));
    F best = zero;
    F least = zero;
    for (const F candidate : {d, L::sub(d, step)}) {
      const F error = Kernels::error_of(Kernels::round(v, Scale::inverse(candidate)), candidate);
      best = L::select_less(error, least, candidate, best);
      least = L::min(error, least);
    }
    return L::select_less(L::abs(d), L::set(Scale::kSmallestNormal), best, d);
  }

  static void load(const float* from, const float* importance, Effort effort, Values* v) {
    Weights::transpose(from, v->x);
    Kernels::look_over(v);
    Weights::weigh(v->x, v->squares, importance, 1,
                   effort == Effort::kBest ? kBestEvenness : kEvenness, v->w);
  }
  // Few blocks are odd, so this stays out of the others' way.
  [[gnu::noinline]] static F search_odd(const float* from, const float* importance) {
    Values v;
    load(from, importance, Effort::kBest, &v);
    return search(v, Effort::kBest);
  }

  static void encode(const EncodeJob& job) {
    SixteenGroups<L, 32, 1, Type::kBlockBytes>::for_each(
        job,
        [&job](const float* from, const float* importance, std::size_t blocks, std::uint8_t* to) {
          Values v;
          load(from, importance, job.effort, &v);
          F d = search(v, job.effort);
          if (job.effort != Effort::kBest && Odd::is_any(v.odd, blocks)) {
            d = Odd::select(v.odd, search_odd(from, importance), d);
          }
          Type::kStore({from, blocks}, Store::scales_of(d), to);
        });
  }
};

}  // namespace qbuild::kernels
