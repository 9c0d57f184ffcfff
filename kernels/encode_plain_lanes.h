#pragma once
// The encoders that look at each value once: F16 and BF16, and the blocks of 32 with a scale from
// the block's extremes (Q8_0, Q4_0, Q5_0, Q5_1).
//
// Scales are those of the reference (gguf.md 9.1); the codes are not: they are rounded with the
// scale that is stored, not with the one before it was rounded to binary16, which costs nothing and
// has less error.

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/encode_scale_lanes.h"

namespace qbuild::kernels {

template <class L>
struct PlainEncoders {
  using F = typename L::F;
  using I = typename L::I;
  using Scale = ScaleKernels<L>;
  static constexpr std::size_t kGroup =
      16;  // blocks whose scales are computed at once, one per lane
  static constexpr float kMagic = 0x1.8p+23F;  // adding it rounds to an integer, ties to even

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

  struct Scales {
    float inverse[kGroup];
    float offset[kGroup];
    std::uint8_t scale_bits[2 * kGroup];
    std::uint8_t minimum_bits[2 * kGroup];
  };
  static void symmetric(F scale, Scales* out) {
    const F rounded = Scale::round(scale);
    L::store(out->inverse, Scale::inverse(rounded));
    L::store_f16(out->scale_bits, rounded);
  }

  // code = x*inverse + offset, rounded and held within [lowest, highest]; the low bits of the
  // lanes.
  static I codes(const float* x, float inverse, float offset, float lowest, float highest) {
    const F t = L::add(L::fma(L::load(x), L::set(inverse), L::set(offset)), L::set(kMagic));
    return L::bits(L::min(L::max(t, L::set(kMagic + lowest)), L::set(kMagic + highest)));
  }
  static void copy_2(std::uint8_t* to, const std::uint8_t* from) { __builtin_memcpy(to, from, 2); }

  static void q8_0(const float* values, std::size_t blocks, std::uint8_t* out) {
    const Extremes e = extremes(values, blocks);
    Scales s;
    symmetric(L::div(L::max(e.highest, L::sub(L::set(0), e.lowest)), L::set(127)), &s);
    for (std::size_t b = 0; b < blocks; ++b, out += 34) {
      copy_2(out, s.scale_bits + 2 * b);
      for (std::size_t half = 0; half < 32; half += 16) {
        L::store_bytes(out + 2 + half, codes(values + 32 * b + half, s.inverse[b], 0, -127, 127));
      }
    }
  }
  static void q4_0(const float* values, std::size_t blocks, std::uint8_t* out) {
    Scales s;
    symmetric(L::mul(signed_most(extremes(values, blocks)), L::set(-1.0F / 8)), &s);
    for (std::size_t b = 0; b < blocks; ++b, out += 18) {
      const I low = codes(values + 32 * b, s.inverse[b], 8, 0, 15);
      const I high = codes(values + 32 * b + 16, s.inverse[b], 8, 0, 15);
      copy_2(out, s.scale_bits + 2 * b);
      store_nibbles(out + 2, low, high);
    }
  }
  static void q5_0(const float* values, std::size_t blocks, std::uint8_t* out) {
    Scales s;
    symmetric(L::mul(signed_most(extremes(values, blocks)), L::set(-1.0F / 16)), &s);
    for (std::size_t b = 0; b < blocks; ++b, out += 22) {
      const I low = codes(values + 32 * b, s.inverse[b], 16, 0, 31);
      const I high = codes(values + 32 * b + 16, s.inverse[b], 16, 0, 31);
      copy_2(out, s.scale_bits + 2 * b);
      store_fifth_bits(out + 2, low, high);
      store_nibbles(out + 6, low, high);
    }
  }
  // The scale spans from the minimum as it is stored, so that a large common offset, which binary16
  // rounds by more than a step, does not push the other end out of the codes.
  static void q5_1(const float* values, std::size_t blocks, std::uint8_t* out) {
    const Extremes e = extremes(values, blocks);
    const F minimum = L::add(L::round_f16(e.lowest), L::set(0));
    const F range = L::max(L::sub(e.highest, minimum), L::set(0));
    Scales s;
    symmetric(L::div(range, L::set(31)), &s);
    L::store_f16(s.minimum_bits, minimum);
    L::store(s.offset, L::mul(L::sub(L::set(0), minimum), L::load(s.inverse)));
    for (std::size_t b = 0; b < blocks; ++b, out += 24) {
      const I low = codes(values + 32 * b, s.inverse[b], s.offset[b], 0, 31);
      const I high = codes(values + 32 * b + 16, s.inverse[b], s.offset[b], 0, 31);
      copy_2(out, s.scale_bits + 2 * b);
      copy_2(out + 2, s.minimum_bits + 2 * b);
      store_fifth_bits(out + 4, low, high);
      store_nibbles(out + 8, low, high);
    }
  }

  static void store_nibbles(std::uint8_t* to, I low, I high) {
    const I nibble = L::set_int(15);
    const I upper = L::template shift_left<4>(L::and_int(high, nibble));
    L::store_bytes(to, L::add_int(L::and_int(low, nibble), upper));
  }
  static void store_fifth_bits(std::uint8_t* to, I low, I high) {
    const std::uint32_t bits = L::template bit_of_lanes<4>(low) | L::template bit_of_lanes<4>(high)
                                                                      << 16;
    __builtin_memcpy(to, &bits, sizeof bits);
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
