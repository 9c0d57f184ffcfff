#pragma once
// The encoders that look at each value once: F16 and BF16, and the blocks of 32 with a scale from
// the block's extremes (Q8_0, Q4_0, Q4_1, Q5_0, Q5_1).
//
// Scales are those of the reference (docs/types/blocks-of-32.md).

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/encode_block_store_lanes.h"
#include "kernels/encode_scale_lanes.h"

namespace qbuild::kernels {

template <class L>
struct PlainEncoders {
  using F = typename L::F;
  using Scale = ScaleKernels<L>;
  using Store = BlockStore<L>;
  using Scales = typename Store::Scales;
  using Blocks = typename Store::Blocks;
  static constexpr std::size_t kGroup = Store::kGroup;

  // These encoders are nearly as fast as memory, so values of the next job are fetched in step with
  // the encoding of this one: those that are as far into it. Null where `count` values from the
  // first are more than follow.
  static const float* next_of(const EncodeJob& job, std::size_t job_values, std::size_t first,
                              std::size_t count) {
    return first + count > job.following ? nullptr : job.values + job_values + first;
  }

  static void f16(const EncodeJob& job) {
    std::size_t i = 0;
    for (; i + 16 <= job.blocks; i += 16) {
      const float* const next = next_of(job, job.blocks, i, 16);
      if (next != nullptr) __builtin_prefetch(next);
      L::store_f16(job.out + 2 * i, L::load(job.values + i));
    }
    for (; i < job.blocks; ++i) Scale::store_bits(job.out + 2 * i, job.values[i]);
  }
  // Finite values only, so there is no NaN to keep.
  static void bf16(const float* values, std::size_t count, std::uint8_t* out) {
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t bits;
      __builtin_memcpy(&bits, values + i, sizeof bits);
      const auto rounded = static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
      __builtin_memcpy(out + 2 * i, &rounded, sizeof rounded);
    }
  }

  // The extremes of up to sixteen blocks, one block per lane; the lanes without a block are 0.
  struct Extremes {
    F lowest, highest;
  };
  static Extremes extremes(const Blocks& blocks) {
    const float* values = blocks.values;
    float padded[32 * kGroup];
    if (blocks.count < kGroup) {
      __builtin_memcpy(padded, values, 32 * blocks.count * sizeof(float));
      __builtin_memset(padded + 32 * blocks.count, 0, 32 * (kGroup - blocks.count) * sizeof(float));
      values = padded;
    }
    Extremes e;
    L::extremes_of_rows(values, &e.lowest, &e.highest);
    return e;
  }
  // The value of largest magnitude; of two that differ in sign only, the one that there is more of,
  // because just one of them has a code of its own.
  static F signed_most(const Blocks& blocks, const Extremes& e) {
    const F sum = L::add(e.highest, e.lowest);
    const F most = L::select_less(sum, L::set(0), e.lowest, e.highest);
    const F is_tie = L::select_less(L::set(0), L::abs(sum), L::set(0), L::set(1));
    return L::fold_max(is_tie) > 0 ? with_ties(blocks, is_tie, most) : most;
  }
  [[gnu::noinline]] static F with_ties(const Blocks& blocks, F is_tie, F most) {
    float ties[kGroup], chosen[kGroup];
    L::store(ties, is_tie);
    L::store(chosen, most);
    for (std::size_t b = 0; b < blocks.count; ++b) {
      if (ties[b] == 0) continue;
      int surplus = 0;
      for (std::size_t i = 32 * b; i < 32 * (b + 1); ++i) {
        surplus += static_cast<int>(blocks.values[i] == chosen[b]) -
                   static_cast<int>(blocks.values[i] == -chosen[b]);
      }
      if (surplus < 0) chosen[b] = -chosen[b];
    }
    return L::load(chosen);
  }
  // For codes up to `top`: where the largest value would miss its code by a half at most, the
  // nearest scale is the best, even of denormal ones.
  static F rounded(F scale, float top) { return Scale::round(scale, top * Scale::kStep); }

  static void q8_0(const Blocks& blocks, std::uint8_t* out) {
    const Extremes e = extremes(blocks);
    const F most = L::max(e.highest, L::sub(L::set(0), e.lowest));
    Store::q8_0(blocks, Store::scales_of(rounded(L::div(most, L::set(127)), 127)), out);
  }
  static void q4_0(const Blocks& blocks, std::uint8_t* out) {
    const F scale = L::mul(signed_most(blocks, extremes(blocks)), L::set(-1.0F / 8));
    Store::q4_0(blocks, Store::scales_of(rounded(scale, 8)), out);
  }
  static void q5_0(const Blocks& blocks, std::uint8_t* out) {
    const F scale = L::mul(signed_most(blocks, extremes(blocks)), L::set(-1.0F / 16));
    Store::q5_0(blocks, Store::scales_of(rounded(scale, 16)), out);
  }
  static void q4_1(const Blocks& blocks, std::uint8_t* out) {
    Store::q4_1(blocks, spanning(extremes(blocks), 15), out);
  }
  static void q5_1(const Blocks& blocks, std::uint8_t* out) {
    Store::q5_1(blocks, spanning(extremes(blocks), 31), out);
  }
  // The scale spans from the minimum as it is stored, so that a large common offset, which binary16
  // rounds by more than a step, does not push the other end out of the codes.
  static Scales spanning(const Extremes& e, float top_code) {
    const F minimum = L::add(L::round_f16(e.lowest), L::set(0));
    const F range = L::max(L::sub(e.highest, minimum), L::set(0));
    return Store::scales_of(rounded(L::div(range, L::set(top_code)), top_code), minimum);
  }

  // Runs `encode` over groups of up to sixteen blocks of 32.
  static void in_groups(void (*encode)(const Blocks&, std::uint8_t*), std::size_t block_bytes,
                        const EncodeJob& job) {
    for (std::size_t b = 0; b < job.blocks; b += kGroup) {
      const std::size_t rest = job.blocks - b;
      const std::size_t count = rest < kGroup ? rest : kGroup;
      encode({.values = job.values + 32 * b,
              .count = count,
              .next = next_of(job, 32 * job.blocks, 32 * b, 32 * count)},
             job.out + block_bytes * b);
    }
  }
};

}  // namespace qbuild::kernels
