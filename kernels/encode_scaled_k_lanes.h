#pragma once
// Q3_K, Q6_K and IQ4_XS: super-blocks of 256 values in sub-blocks of 16 or 32, y = (d*sc)*level,
// with scale codes sc of either sign.
//
// Sixteen sub-blocks go together, one per lane, and four such groups through each step in turn:
// each step ends with quotients and sums that the next one waits for, while other groups go on.
//
//   1  fit     Per sub-block a few step sizes that put the value of largest magnitude at or near
//              the lowest level; the least-squares scale of each rounding, scored by how much of
//              the energy it explains.
//   2  code    d = (scale of largest magnitude)/-kTopScale, so that the whole signed code is used.
//   3  refine  The scale codes beside the present one; then least squares for d. Where candidates
//              are well placed this gains next to nothing, and some searches leave it out.
//   4  round   Every value with the scales as they are stored.
//
// Values weigh rms + |x| or, with importance, as kernels/encode_weights_lanes.h says. Sources and
// the data that candidates were chosen on: docs/types/encoders.md.
//
// Effort::kBest tries more scale codes and begins several times, with other values of d. Its
// weights are more even, because what it is to beat, joint refinement (docs/types/encoders.md), has
// even ones. Super-blocks that are no bell are searched so whatever the effort
// (kernels/encode_odd_lanes.h).

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/encode_odd_lanes.h"
#include "kernels/encode_scale_lanes.h"
#include "kernels/encode_scaled_k_store_lanes.h"
#include "kernels/encode_scaled_lanes.h"
#include "kernels/encode_sixteen_lanes.h"
#include "kernels/encode_table_levels_lanes.h"
#include "kernels/encode_weights_lanes.h"

namespace qbuild::kernels {

// How a type is laid out and searched.
template <class L>
struct ScaledQ6K {
  static constexpr std::size_t kValues = 16;  // of a sub-block
  static constexpr float kTopScale = 128;
  static constexpr float kScaleZero = 0;  // what the code of a scale of zero is stored as
  static constexpr std::size_t kBlockBytes = 210;
  using Levels = EvenLevels<L, 32>;
  using Kernels = ScaledKernels<L, kValues, Levels>;
  // Where the largest value is met exactly, refining gains nothing.
  static constexpr ScaledSearch kPlain{.candidates = {{3, 30, 1}}, .refinements = 0};
  // The reference weighs with importance alone here; so much evenness is almost that.
  static constexpr ScaledSearch kWeighted{
      .candidates = {{4, 29, 1}}, .evenness = 16, .refinements = 0};
  static constexpr ScaledSearch kBest{.candidates = {{13, 29.6F, 0.2F}, {9, -30.6F, -0.2F}},
                                      .evenness = 64,
                                      .refinements = 3,
                                      .reach = {4, 4, 4},
                                      .start_count = 3,
                                      .starts = {1, 0.97F, 0.94F}};
  static void store(const typename ScaledKStore<L>::Block& block, std::uint8_t* to) {
    ScaledKStore<L>::q6_k(block, to);
  }
};
template <class L>
struct ScaledQ3K {
  static constexpr std::size_t kValues = 16;
  static constexpr float kTopScale = 32;
  static constexpr float kScaleZero = 32;
  static constexpr std::size_t kBlockBytes = 110;
  using Levels = EvenLevels<L, 4>;
  using Kernels = ScaledKernels<L, kValues, Levels>;
  // Two candidates are enough to beat the reference, which hardly searches here. The first one
  // meets weights of two values exactly.
  static constexpr ScaledSearch kPlain{.candidates = {{2, 3.4F, 0.8F}}, .refinements = 0};
  static constexpr ScaledSearch kWeighted{.candidates = {{5, 3.2F, 0.32F}}, .evenness = 32};
  static constexpr ScaledSearch kBest{.candidates = {{13, 3.0F, 0.1F}},
                                      .evenness = 64,
                                      .refinements = 3,
                                      .reach = {8, 2, 2},
                                      .start_count = 2,
                                      .starts = {1, 0.92F}};
  static void store(const typename ScaledKStore<L>::Block& block, std::uint8_t* to) {
    ScaledKStore<L>::q3_k(block, to);
  }
};
template <class L>
struct ScaledIQ4XS {
  static constexpr std::size_t kValues = 32;
  static constexpr float kTopScale = 32;
  static constexpr float kScaleZero = 32;
  static constexpr std::size_t kBlockBytes = 136;
  using Levels = TableLevels<L>;
  using Kernels = ScaledKernels<L, kValues, Levels>;
  static constexpr ScaledSearch kPlain{.candidates = {{7, 116, 3}, {4, -106, -4}}};
  static constexpr ScaledSearch kWeighted{.candidates = {{7, 116, 3}, {4, -106, -4}},
                                          .evenness = 4};
  static constexpr ScaledSearch kBest{.candidates = {{14, 112, 2}, {10, -100, -2}},
                                      .evenness = 64,
                                      .refinements = 3,
                                      .reach = {2, 2, 2},
                                      .start_count = 3,
                                      .starts = {1, 0.95F, 0.9F}};
  static void store(const typename ScaledKStore<L>::Block& block, std::uint8_t* to) {
    ScaledKStore<L>::iq4_xs(block, to);
  }
};

template <class L, class Type>
struct ScaledKEncoder {
  static constexpr std::size_t kValues = Type::kValues;
  using F = typename L::F;
  using Scale = ScaleKernels<L>;
  using Weights = WeightKernels<L, kValues>;
  using Odd = OddKernels<L, kValues>;
  using Levels = typename Type::Levels;
  using Kernels = typename Type::Kernels;
  using Values = typename Kernels::Values;
  using Rounding = typename Kernels::Rounding;
  using Fit = typename Kernels::Fit;

  static constexpr std::size_t kSubBlocks = 256 / kValues;   // of a super-block
  static constexpr std::size_t kTogether = 16 / kSubBlocks;  // super-blocks
  static constexpr float kMagic = 0x1.8p+23F;  // adding it rounds to an integer, ties to even
  static constexpr float kNoErrorYet = 3e38F;
  using Groups = SixteenGroups<L, kValues, kSubBlocks, Type::kBlockBytes>;
  using Sixteen = typename Groups::Sixteen;
  static constexpr std::size_t kBatch = 4;  // of sixteen sub-blocks each

  // What is stored, but for the codes of the values.
  struct Scales {
    F sc;  // codes, as floats
    float d[kTogether];
  };

  // One number per super-block, in the lanes of its sub-blocks.
  static F spread(const float* numbers) {
    if constexpr (kTogether == 1) return L::set(numbers[0]);
    float lanes[16];
    for (std::size_t g = 0; g < 16; ++g) lanes[g] = numbers[g / kSubBlocks];
    return L::load(lanes);
  }
  static F scale_code(F a) {
    const F integer = L::sub(L::add(a, L::set(kMagic)), L::set(kMagic));
    return L::min(L::max(integer, L::set(-Type::kTopScale)), L::set(Type::kTopScale - 1));
  }

  static const ScaledSearch& search_of(const EncodeJob& job) {
    if (job.effort == Effort::kBest) return Type::kBest;
    return job.importance == nullptr ? Type::kPlain : Type::kWeighted;
  }

  static void load(const float* from, const float* importance, float evenness, Values* v) {
    Weights::transpose(from, v->x);
    Kernels::look_over(v);
    if (evenness > 0) {
      Weights::weigh(v->x, v->squares, importance, kSubBlocks, evenness, v->w);
    } else {
      Kernels::weigh_plainly(v);
    }
  }

  // The scale of largest magnitude of each super-block, the first of several; 0 where all are.
  static void largest(F fitted, float* most) {
    const F square = L::mul(fitted, fitted);
    float scale[16];
    L::store(scale, fitted);
    float lanes[16];
    L::store(lanes, square);
    for (std::size_t b = 0; b < kTogether; ++b) {
      const std::size_t first = kSubBlocks * b;
      float most_square = 0;
      if constexpr (kTogether == 1) {
        most_square = L::fold_max(square);
      } else {
        for (std::size_t g = first; g < first + kSubBlocks; ++g) {
          most_square = lanes[g] > most_square ? lanes[g] : most_square;
        }
      }
      const F is_most =
          L::select_less(square, L::set(most_square), L::set(0), L::from_bits(L::set_int(1)));
      const std::uint32_t mask = L::template bit_of_lanes<0>(L::bits(is_most)) >> first;
      most[b] = most_square > 0 ? scale[first + static_cast<std::size_t>(__builtin_ctz(mask))] : 0;
    }
  }

  // The scale of largest magnitude, the first of several, gets the code -top.
  static Scales code(F fitted, float top) {
    float most[kTogether];
    largest(fitted, most);
    Scales s;
    for (std::size_t b = 0; b < kTogether; ++b) s.d[b] = Scale::round_one(most[b] / -top);
    s.sc = scale_code(L::mul(fitted, Scale::inverse(spread(s.d))));
    return s;
  }

  // Scale codes within `reach` of the present ones; the errors are those of the codes it chose,
  // before d was fitted to them.
  static void refine(const Values* v, std::size_t count, int reach, Scales* s, F* errors) {
    F present[kBatch];
    Rounding best[kBatch];
    for (std::size_t i = 0; i < count; ++i) {
      present[i] = s[i].sc;
      errors[i] = L::set(kNoErrorYet);
      best[i] = {L::set(0), L::set(0)};
    }
    for (int step = -reach; step <= reach; ++step) {
      for (std::size_t i = 0; i < count; ++i) {
        const F sc = scale_code(L::add(present[i], L::set(static_cast<float>(step))));
        const F scale = L::mul(sc, spread(s[i].d));
        const Rounding r = Kernels::round(v[i], Scale::inverse(scale));
        const F error = Kernels::error_of(r, scale);
        s[i].sc = L::select_less(error, errors[i], sc, s[i].sc);
        best[i].lx = L::select_less(error, errors[i], r.lx, best[i].lx);
        best[i].ll = L::select_less(error, errors[i], r.ll, best[i].ll);
        errors[i] = L::min(error, errors[i]);
      }
    }
    for (std::size_t i = 0; i < count; ++i) refit(best[i], s + i);
  }

  static void refit(const Rounding& r, Scales* s) {
    float sx[16];
    float ss[16];
    L::store(sx, L::mul(s->sc, r.lx));
    L::store(ss, L::mul(L::mul(s->sc, s->sc), r.ll));
    for (std::size_t b = 0; b < kTogether; ++b) {
      // Binary16's denormals are too coarse for this to be more than noise.
      const float magnitude = s->d[b] < 0 ? -s->d[b] : s->d[b];
      if (Scale::kSmallestNormal > magnitude) continue;
      double total_sx = 0;
      double total_ss = 0;
      for (std::size_t g = kSubBlocks * b; g < kSubBlocks * (b + 1); ++g) {
        total_sx += static_cast<double>(sx[g]);
        total_ss += static_cast<double>(ss[g]);
      }
      if (!(total_ss > 0)) continue;
      const auto error = [&](float d) {
        const auto a = static_cast<double>(d);
        return a * (total_ss * a - 2 * total_sx);
      };
      const float d_new = Scale::round_one(static_cast<float>(total_sx / total_ss));
      if (error(d_new) < error(s->d[b])) s->d[b] = d_new;
    }
  }

  // Where d is only a few steps of binary16's denormals, the codes beside those that it gives are
  // tried in any case. A block's bytes depend on that block alone, so only where one goes at a
  // time.
  static_assert(kTogether == 1 || Type::kPlain.refinements > 0);
  static constexpr float kCoarse = 64 * Scale::kStep;
  static bool is_coarse(const Scales& s) {
    const float magnitude = s.d[0] < 0 ? -s.d[0] : s.d[0];
    return magnitude > 0 && magnitude < kCoarse;
  }

  // `count` of each.
  static void search(const Values* v, std::size_t count, const ScaledSearch& how, Scales* best) {
    Fit fits[kBatch];
    Scales s[kBatch];
    F errors[kBatch], best_errors[kBatch];
    for (std::size_t i = 0; i < count; ++i) {
      fits[i] = Kernels::no_fit();
      best[i].sc = L::set(0);
      for (float& d : best[i].d) d = 0;
      best_errors[i] = L::set(kNoErrorYet);
    }
    for (const ScaledCandidates& candidates : how.candidates) {
      Kernels::fit(v, count, candidates, fits);
    }
    for (int start = 0; start < how.start_count; ++start) {
      for (std::size_t i = 0; i < count; ++i) {
        s[i] = code(fits[i].scale, how.starts[start] * Type::kTopScale);
      }
      for (int k = 0; k < how.refinements; ++k) refine(v, count, how.reach[k], s, errors);
      for (std::size_t i = 0; i < count; ++i) {
        if (how.refinements == 0 && is_coarse(s[i])) refine(v + i, 1, 1, s + i, errors + i);
        if (how.start_count == 1) {
          best[i] = s[i];
        } else {
          const F error = Weights::sum_together(errors[i], kSubBlocks);
          keep_better(s[i], error, best + i, best_errors + i);
        }
      }
    }
  }
  static void keep_better(const Scales& s, F error, Scales* best, F* best_error) {
    float errors[16], best_errors[16];
    L::store(errors, error);
    L::store(best_errors, *best_error);
    for (std::size_t b = 0; b < kTogether; ++b) {
      const std::size_t g = kSubBlocks * b;
      if (errors[g] < best_errors[g]) best->d[b] = s.d[b];
    }
    best->sc = L::select_less(error, *best_error, s.sc, best->sc);
    *best_error = L::min(error, *best_error);
  }

  // Searches those blocks once more that are odd. Few are, so this stays out of the others' way.
  [[gnu::noinline]] static void search_odd(const Sixteen& sixteen, const F& odd_groups, Scales* s) {
    Values v;
    load(sixteen.values, sixteen.importance, Type::kBest.evenness, &v);
    Scales best;
    search(&v, 1, Type::kBest, &best);
    const F odd = Odd::blocks_of(odd_groups, kSubBlocks, sixteen.blocks);
    float lanes[16];
    L::store(lanes, odd);
    for (std::size_t b = 0; b < kTogether; ++b) {
      if (lanes[kSubBlocks * b] > 0) s->d[b] = best.d[b];
    }
    s->sc = Odd::select(odd, best.sc, s->sc);
  }

  // From the values themselves, so that their codes come out in row order.
  static void store(const Sixteen& sixteen, const Scales& s) {
    std::uint8_t codes[16 * kValues];
    float inverse[16];
    L::store(inverse, Scale::inverse(L::mul(s.sc, spread(s.d))));
    for (std::size_t i = 0; i < 16 * kValues; i += 32) {
      if (sixteen.next != nullptr) {
        __builtin_prefetch(sixteen.next + i);
        __builtin_prefetch(sixteen.next + i + 16);
      }
      Levels::codes_32(sixteen.values + i, {inverse[i / kValues], inverse[(i + 16) / kValues]},
                       codes + i);
    }
    std::uint8_t sc[16];
    L::store_bytes(sc, L::bits(L::add(s.sc, L::set(kMagic + Type::kScaleZero))));
    for (std::size_t b = 0; b < sixteen.blocks; ++b) {
      Type::store({.d = s.d[b], .sc = sc + kSubBlocks * b, .codes = codes + 256 * b},
                  sixteen.out + Type::kBlockBytes * b);
    }
  }

  static void encode(const EncodeJob& job) {
    const ScaledSearch& how = search_of(job);
    Groups::template for_each_batch<kBatch>(job, [&how](const Sixteen* batch, std::size_t count) {
      Values v[kBatch];
      Scales s[kBatch];
      for (std::size_t i = 0; i < count; ++i) {
        load(batch[i].values, batch[i].importance, how.evenness, v + i);
      }
      search(v, count, how, s);
      for (std::size_t i = 0; i < count; ++i) {
        if (&how == &Type::kBest || !Odd::is_any(v[i].odd, kSubBlocks * batch[i].blocks)) continue;
        search_odd(batch[i], v[i].odd, s + i);
      }
      for (std::size_t i = 0; i < count; ++i) store(batch[i], s[i]);
    });
  }
};

}  // namespace qbuild::kernels
