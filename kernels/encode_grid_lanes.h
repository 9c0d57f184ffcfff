#pragma once
// The search of the types with grids: super-blocks of 256 values, y = d*unit*(2*sc + 1)*level,
// where d is binary16, sc the scale code of a group of 16 or 32 values, and the levels of four or
// eight neighbours are a vector of the type's grid.
//
// A trial takes a group and a scale. It rounds the group to the nearest levels, looks up the
// sixteen vectors that lie nearest (kernels/grid_cells.h) and weighs their errors at once, one
// vector per lane: what one element adds for each of its levels is a table of eight. A first row of
// trials finds about the best scale of each group; they decide d; then the codes around each scale
// are tried with this d, and d is fitted to what was chosen. Types, levels, and why they are the
// true ones and d is chosen with the codes: docs/types/grids.md.

#include <cstddef>
#include <cstdint>

#include "base/half.h"
#include "kernels/codec_table.h"
#include "kernels/encode_odd_lanes.h"
#include "kernels/grid_cells.h"

namespace qbuild::kernels {

// How to search for the scales of a super-block.
struct GridSearch {
  float evenness = 0;  // of weights, as in kernels/encode_weights_lanes.h
  // Scales to try for a group first, relative to what the type takes as its size.
  int count = 0;
  float first = 0, step = 0;
  int reach = 1;   // scale codes to try to both sides
  int rounds = 1;  // of that, each with d fitted afterwards
  // The largest scale gets the largest code, or beyond it; one search for each.
  int start_count = 1;
  float starts[3] = {1, 0, 0};
};

// What else is done where the columns have importance. With two bits and fewer the least error is
// not what a network loses least by: docs/types/grids.md.
struct GridImportance {
  bool is_damped = false;  // to the power of 3/4: what was measured on some text is not all
  float evenness = 0;      // 0: that of the search
  float lift = 1;  // of the stored d: codes of few bits are shorter than what they stand for
};

enum class GridSigns : std::uint8_t {
  kFree,
  kEven,   // an even number of minus signs among eight
  kDelta,  // none: levels have signs, and all of a group are moved up or down
  kDeltaOfVector,
};

// What is stored of a super-block. L keeps apart the copies for different instruction sets.
template <class L>
struct GridBlock {
  std::uint16_t d_bits;
  std::uint8_t sc[16];
  std::uint8_t signs[32];   // a bit for each value
  std::int32_t chosen[64];  // entries of GridCells
  // Of an entry here: the vector is moved down.
  static constexpr std::int32_t kDown = 1 << 30;

  [[nodiscard]] unsigned number(std::size_t vector) const {
    return static_cast<unsigned>(chosen[vector]) >> 16 & 0x3FFFU;
  }
  [[nodiscard]] unsigned is_down(std::size_t vector) const { return (chosen[vector] & kDown) != 0; }
};

template <class L, class Type>
struct GridEncoder {
  using F = typename L::F;
  using I = typename L::I;
  using Block = GridBlock<L>;
  static constexpr std::size_t kGroup = Type::kGroup;  // values
  static constexpr std::size_t kGroups = 256 / kGroup;
  static constexpr std::size_t kDigits = Type::kDigits;  // of a vector
  static constexpr std::size_t kVectors = kGroup / kDigits;
  static constexpr int kDigitBits = kDigits == 8 ? 2 : 3;
  static constexpr bool kIsSigned =
      Type::kSigns == GridSigns::kDelta || Type::kSigns == GridSigns::kDeltaOfVector;
  static constexpr float kMagic = 0x1.8p+23F;  // adding it rounds to an integer, ties to even
  // Below this the smallest scale of all is too large.
  static constexpr float kNothing = 0x1p-40F;

  // A super-block in units of a power of two, so that no square overflows or vanishes.
  struct Values {
    float a[256];     // magnitudes, but negative where the sign is not the value's own
    float loss[256];  // minus the weights
    float gain[256];  // twice weight * a
    float size[kGroups];
    std::uint8_t signs[32];
    float unit;
  };
  // What was chosen for a group.
  struct Group {
    float gain;
    std::int32_t chosen[kVectors];
  };

  // The power of two at or below a number.
  static float unit_of(float most) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, &most, sizeof bits);
    bits &= 0x7f800000U;
    float unit;
    __builtin_memcpy(&unit, &bits, sizeof unit);
    return unit;
  }
  static float largest(const float* from) {
    F most = L::set(0);
    for (std::size_t i = 0; i < 256; i += 16) most = L::max(most, L::abs(L::load(from + i)));
    return L::fold_max(most);
  }

  static void load(const float* from, const float* importance, bool is_damped, float evenness,
                   Values* v) {
    const F down = L::set(1 / v->unit);
    F squares = L::set(0);
    for (std::size_t i = 0; i < 256; i += 16) {
      const F x = L::mul(L::load(from + i), down);
      squares = L::fma(x, x, squares);
      const F minus = L::select_less(x, L::set(0), L::from_bits(L::set_int(1)), L::set(0));
      const std::uint32_t signs = L::template bit_of_lanes<0>(L::bits(minus));
      v->signs[i / 8] = static_cast<std::uint8_t>(signs & 255);
      v->signs[i / 8 + 1] = static_cast<std::uint8_t>(signs >> 8);
      L::store(v->a + i, kIsSigned ? x : L::abs(x));
    }
    const F even = L::set(L::fold_add(squares) * (evenness / 256));
    for (std::size_t i = 0; i < 256; i += 16) {
      const F a = L::load(v->a + i);
      F w = L::sqrt(L::fma(a, a, even));
      if (importance != nullptr) {
        const F q = L::load(importance + i);
        w = L::mul(w, is_damped ? L::sqrt(L::mul(q, L::sqrt(q))) : q);
      }
      L::store(v->loss + i, L::sub(L::set(0), w));
      L::store(v->gain + i, L::mul(L::add(w, w), a));
    }
    measure(v);
    if (Type::kSigns == GridSigns::kEven) make_signs_even(v);
  }

  // The size of a group: its largest magnitude, or where levels are few the weighted root mean
  // square.
  static void measure(Values* v) {
    for (std::size_t g = 0; g < kGroups; ++g) {
      F most = L::set(0);
      F energy = L::set(0);
      F weight = L::set(0);
      for (std::size_t i = kGroup * g; i < kGroup * (g + 1); i += 16) {
        const F a = L::load(v->a + i);
        most = L::max(most, L::abs(a));
        energy = L::fma(L::load(v->gain + i), a, energy);
        weight = L::sub(weight, L::load(v->loss + i));
      }
      v->size[g] = L::fold_max(most);
      if (kIsSigned && v->size[g] > 0) {
        float lanes[16];
        L::store(lanes, L::sqrt(L::set(L::fold_add(energy) / (2 * L::fold_add(weight)))));
        v->size[g] = lanes[0];
      }
    }
  }

  // Where the number of minus signs is odd, the sign changes whose change costs least: the value is
  // coded with the smallest level, so that the cost is in proportion to weight * magnitude.
  static void make_signs_even(Values* v) {
    for (std::size_t i = 0; i < 32; ++i) {
      if (__builtin_parity(v->signs[i]) == 0) continue;
      std::size_t least = 8 * i;
      for (std::size_t j = least + 1; j < 8 * i + 8; ++j) {
        if (v->gain[j] < v->gain[least]) least = j;
      }
      v->signs[i] = static_cast<std::uint8_t>(v->signs[i] ^ 1U << (least - 8 * i));
      v->a[least] = -v->a[least];
      v->gain[least] = -v->gain[least];
    }
  }

  // The cell of a vector's digits, a byte each: in three steps, two, four and eight together.
  static std::size_t cell_of(const std::uint8_t* digits) {
    if constexpr (kDigits == 8) {
      std::uint64_t n;
      __builtin_memcpy(&n, digits, sizeof n);
      n = (n + (n >> 8) * 3) & 0x00FF00FF00FF00FF;
      n = (n + (n >> 16) * 9) & 0x0000FFFF0000FFFF;
      return (n + (n >> 32) * 81) & 0xFFFF;
    } else {
      std::uint32_t n;
      __builtin_memcpy(&n, digits, sizeof n);
      n = (n | n >> 5) & 0x003F003F;
      return (n | n >> 10) & 0xFFF;
    }
  }

  // Chooses the best vector of a cell for the values from `at`; `levels` are those of two
  // neighbours, times the scale.
  static float choose(const Values& v, std::size_t at, F levels, const std::int32_t* cell,
                      std::int32_t* chosen) {
    float gains[8 * kDigits];
    for (std::size_t j = 0; j < kDigits; j += 2) {
      const F loss = L::spread_two(v.loss[at + j], v.loss[at + j + 1]);
      const F gain = L::spread_two(v.gain[at + j], v.gain[at + j + 1]);
      L::store(gains + 8 * j, L::mul(levels, L::fma(levels, loss, gain)));
    }
    I codes = L::load_int(cell);
    F total = L::look_up_8(gains, codes);
    for (std::size_t j = 1; j < kDigits; ++j) {
      codes = L::template shift_right<kDigitBits>(codes);
      total = L::add(total, L::look_up_8(gains + 8 * j, codes));
    }
    const float best = L::fold_max(total);
    const F is_best = L::select_less(total, L::set(best), L::set(0), L::from_bits(L::set_int(1)));
    const std::uint32_t lanes = L::template bit_of_lanes<0>(L::bits(is_best));
    *chosen = cell[__builtin_ctz(lanes | 1U << 15)];
    return best;
  }

  // Each vector of a group with one scale, moved by `delta`.
  static void round(const Values& v, std::size_t group, float scale, float delta, float* gains,
                    std::int32_t* chosen) {
    std::uint8_t digits[kGroup];
    const F slope = L::set(Type::kSlope / scale);
    const F offset = L::set(Type::kOffset - delta);
    const F top = L::set(kDigits == 8 ? 2 : 7);
    const std::size_t at = kGroup * group;
    for (std::size_t i = 0; i < kGroup; i += 16) {
      const F digit = L::fma(L::load(v.a + at + i), slope, offset);
      const F held = L::min(L::max(digit, L::set(0)), top);
      L::store_bytes(digits + i, L::bits(L::add(held, L::set(kMagic))));
    }
    const F levels = L::mul(L::add(L::load(Type::kLevels.of_two), L::set(delta)), L::set(scale));
    const std::int32_t* cells = Type::cells();
    for (std::size_t i = 0; i < kVectors; ++i) {
      const std::int32_t* cell = cells + kCellVectors * cell_of(digits + kDigits * i);
      gains[i] = choose(v, at + kDigits * i, levels, cell, chosen + i);
    }
  }

  static Group trial(const Values& v, std::size_t group, float scale) {
    Group up;
    float gains[2][kVectors];
    round(v, group, scale, kIsSigned ? 0.125F : 0.0F, gains[0], up.chosen);
    up.gain = sum(gains[0]);
    if constexpr (kIsSigned) {
      Group down;
      round(v, group, scale, -0.125F, gains[1], down.chosen);
      down.gain = sum(gains[1]);
      for (std::size_t i = 0; i < kVectors; ++i) {
        const bool of_vector = Type::kSigns == GridSigns::kDeltaOfVector;
        const bool is_better = of_vector ? gains[0][i] < gains[1][i] : up.gain < down.gain;
        if (!is_better) continue;
        gains[0][i] = gains[1][i];
        up.chosen[i] = down.chosen[i] | Block::kDown;
      }
      up.gain = sum(gains[0]);
    }
    return up;
  }
  static float sum(const float* gains) {
    float total = 0;
    for (std::size_t i = 0; i < kVectors; ++i) total += gains[i];
    return total;
  }

  // About the best scale of each group; returns the largest.
  static float fit(const Values& v, const GridSearch& how, float* scales) {
    float most = 0;
    for (std::size_t g = 0; g < kGroups; ++g) {
      scales[g] = 0;
      float best = 0;
      if (!(v.size[g] > 0)) continue;
      for (int i = 0; i < how.count; ++i) {
        const float scale =
            v.size[g] * Type::kScaleOfSize * (how.first + static_cast<float>(i) * how.step);
        const float gain = trial(v, g, scale).gain;
        if (!(gain > best)) continue;
        best = gain;
        scales[g] = scale;
      }
      most = most < scales[g] ? scales[g] : most;
    }
    return most;
  }

  // Of units of the block; rounded as stored, which leaves nothing of small ones.
  static float round_d(float d, float unit) {
    const float held = d * unit < 65504 ? d * unit : 65504;
    return f16_to_f32(f32_to_f16(held)) / unit;
  }
  // The first d of a search: where even the smallest one is too large for the largest codes,
  // smaller codes go with it.
  static float first_d(float d, float unit) {
    constexpr float kSmallest = 0x1p-24F;
    return round_d(d * unit < kSmallest ? kSmallest / unit : d, unit);
  }

  static float multiplier(int sc) { return Type::kUnit * static_cast<float>(2 * sc + 1); }
  static int code_of(float scale, float d) {
    const float half = scale / (2 * d * Type::kUnit);  // the nearest odd number is 2*floor + 1
    return half < Type::kTopCode + 1 ? static_cast<int>(half) : Type::kTopCode;
  }

  // The best scale codes within `reach` of `near`, for this d.
  static void choose_codes(const Values& v, float d, int reach, Block* b) {
    for (std::size_t g = 0; g < kGroups; ++g) {
      const int near = b->sc[g];
      const int low = near < reach ? 0 : near - reach;
      const int high = near + reach > Type::kTopCode ? Type::kTopCode : near + reach;
      float best = -3e38F;
      for (int sc = low; sc <= high; ++sc) {
        const Group group = trial(v, g, d * multiplier(sc));
        if (!(group.gain > best)) continue;
        best = group.gain;
        b->sc[g] = static_cast<std::uint8_t>(sc);
        __builtin_memcpy(b->chosen + kVectors * g, group.chosen, sizeof group.chosen);
      }
    }
  }

  // Fits d by least squares to what was chosen; returns the error without the part that all share.
  static double refit(const Values& v, const Block& b, float* d) {
    double along = 0;  // twice sum of w*l*a
    double square = 0;
    for (std::size_t g = 0; g < kGroups; ++g) {
      double group_along = 0;
      double group_square = 0;
      for (std::size_t i = kVectors * g; i < kVectors * (g + 1); ++i) {
        const auto code = static_cast<unsigned>(b.chosen[i]);
        const float delta = !kIsSigned ? 0.0F : b.is_down(i) != 0 ? -0.125F : 0.125F;
        for (std::size_t j = 0; j < kDigits; ++j) {
          const float level =
              Type::kLevels.of_two[code >> kDigitBits * j & ((1U << kDigitBits) - 1)] + delta;
          group_along += static_cast<double>(level * v.gain[kDigits * i + j]);
          group_square -= static_cast<double>(level * level * v.loss[kDigits * i + j]);
        }
      }
      const auto m = static_cast<double>(multiplier(b.sc[g]));
      along += m * group_along;
      square += m * m * group_square;
    }
    const auto error = [&](float a) {
      return static_cast<double>(a) * (static_cast<double>(a) * square - along);
    };
    if (square > 0 && along > 0) {
      const float fitted = round_d(static_cast<float>(along / (2 * square)), v.unit);
      if (error(fitted) < error(*d)) *d = fitted;
    }
    return error(*d);
  }

  // False where the best is zero throughout.
  static bool search(const Values& v, const GridSearch& how, float lift, Block* best) {
    float scales[kGroups];
    const float most = fit(v, how, scales);
    double best_error = 0;
    for (int start = 0; start < how.start_count; ++start) {
      const float widest = multiplier(Type::kTopCode);
      float d = first_d(most * how.starts[start] / widest, v.unit);
      Block b;
      double error = 0;
      for (std::size_t g = 0; g < kGroups; ++g) {
        b.sc[g] = static_cast<std::uint8_t>(code_of(scales[g], d));
      }
      for (int i = 0; i < how.rounds; ++i) {
        if (!(d > 0)) break;
        choose_codes(v, d, i == 0 ? how.reach : 1, &b);
        error = refit(v, b, &d);
      }
      if (!(error < best_error)) continue;
      best_error = error;
      const float stored = d * v.unit * lift;
      b.d_bits = f32_to_f16(stored < 65504 ? stored : 65504);
      __builtin_memcpy(b.signs, v.signs, sizeof b.signs);
      *best = b;
    }
    return best_error < 0;
  }

  static void encode(const EncodeJob& job) {
    for (std::size_t i = 0; i < job.blocks; ++i) {
      std::uint8_t* to = job.out + Type::kBlockBytes * i;
      const float* from = job.values + 256 * i;
      __builtin_memset(to, 0, Type::kBlockBytes);
      const float most = largest(from);
      if (most < kNothing) continue;
      Values v;
      v.unit = unit_of(most);
      const bool odd = OddBlocks<L, kGroup>::is_odd(from);
      const GridSearch& how = odd || job.effort == Effort::kBest ? Type::kBest : Type::kDefault;
      const GridImportance by =
          odd || job.importance == nullptr ? GridImportance{} : Type::kByImportance;
      const float evenness = by.evenness > 0 ? by.evenness : how.evenness;
      load(from, job.importance == nullptr ? nullptr : job.importance + 256 * i, by.is_damped,
           evenness, &v);
      Block b;
      if (search(v, how, by.lift, &b)) Type::store(b, to);
    }
  }
};

}  // namespace qbuild::kernels
