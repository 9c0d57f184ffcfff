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
  static constexpr std::size_t kGroup = Store::kGroup;

  static void f16(const float* values, std::size_t count, std::uint8_t* out) {
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) L::store_f16(out + 2 * i, L::load(values + i));
    for (; i < count; ++i) Scale::store_bits(out + 2 * i, values[i]);
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
  static Extremes extremes(const float* values, std::size_t blocks) {
    float low[kGroup] = {};
    float high[kGroup] = {};
    const F zero = L::set(0);
    for (std::size_t b = 0; b < blocks; ++b) {
      const F first = L::load(values + 32 * b);
      const F second = L::load(values + 32 * b + 16);
      high[b] = L::fold_max(L::max(first, second));
      low[b] = -L::fold_max(L::sub(zero, L::min(first, second)));
    }
    return {L::load(low), L::load(high)};
  }
  // The value of largest magnitude; of two that differ in sign only, the positive one.
  static F signed_most(const Extremes& e) {
    return L::select_less(L::add(e.highest, e.lowest), L::set(0), e.lowest, e.highest);
  }

  static void q8_0(const float* values, std::size_t blocks, std::uint8_t* out) {
    const Extremes e = extremes(values, blocks);
    const F most = L::max(e.highest, L::sub(L::set(0), e.lowest));
    Store::q8_0(values, blocks, Store::scales_of(L::div(most, L::set(127))), out);
  }
  static void q4_0(const float* values, std::size_t blocks, std::uint8_t* out) {
    const F scale = L::mul(signed_most(extremes(values, blocks)), L::set(-1.0F / 8));
    Store::q4_0(values, blocks, Store::scales_of(scale), out);
  }
  static void q5_0(const float* values, std::size_t blocks, std::uint8_t* out) {
    const F scale = L::mul(signed_most(extremes(values, blocks)), L::set(-1.0F / 16));
    Store::q5_0(values, blocks, Store::scales_of(scale), out);
  }
  static void q4_1(const float* values, std::size_t blocks, std::uint8_t* out) {
    Store::q4_1(values, blocks, spanning(extremes(values, blocks), 15), out);
  }
  static void q5_1(const float* values, std::size_t blocks, std::uint8_t* out) {
    Store::q5_1(values, blocks, spanning(extremes(values, blocks), 31), out);
  }
  // The scale spans from the minimum as it is stored, so that a large common offset, which binary16
  // rounds by more than a step, does not push the other end out of the codes.
  static Scales spanning(const Extremes& e, float top_code) {
    const F minimum = L::add(L::round_f16(e.lowest), L::set(0));
    const F range = L::max(L::sub(e.highest, minimum), L::set(0));
    return Store::scales_of(L::div(range, L::set(top_code)), minimum);
  }

  // Runs `encode` over groups of up to sixteen blocks of 32.
  static void in_groups(void (*encode)(const float*, std::size_t, std::uint8_t*),
                        std::size_t block_bytes, const EncodeJob& job) {
    for (std::size_t b = 0; b < job.blocks; b += kGroup) {
      const std::size_t rest = job.blocks - b;
      encode(job.values + 32 * b, rest < kGroup ? rest : kGroup, job.out + block_bytes * b);
    }
  }
};

}  // namespace qbuild::kernels
