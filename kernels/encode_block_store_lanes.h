#pragma once
// From the scales of blocks of 32 to their bytes: the layouts are in kernels/blocks.h.
//
// Codes are rounded with the scale that is stored, not with the one before it was rounded to
// binary16, as the reference does: that costs nothing and has less error.

#include <cstddef>
#include <cstdint>

#include "kernels/encode_scale_lanes.h"
#include "kernels/encode_table_levels_lanes.h"

namespace qbuild::kernels {

template <class L>
struct BlockStore {
  using F = typename L::F;
  using I = typename L::I;
  using Scale = ScaleKernels<L>;
  static constexpr std::size_t kGroup = 16;  // blocks whose scales are found at once, one per lane
  static constexpr float kMagic = 0x1.8p+23F;  // adding it rounds to an integer, ties to even

  // Of up to sixteen blocks.
  struct Scales {
    float inverse[kGroup];  // of the scale
    float offset[kGroup];   // -minimum*inverse
    std::uint8_t scale_bits[2 * kGroup];
    std::uint8_t minimum_bits[2 * kGroup];
  };
  static Scales scales_of(F scale) {
    Scales s;
    const F rounded = Scale::round(scale);
    L::store(s.inverse, Scale::inverse(rounded));
    L::store_f16(s.scale_bits, rounded);
    return s;
  }
  // `minimum` is a binary16 value.
  static Scales scales_of(F scale, F minimum) {
    Scales s = scales_of(scale);
    L::store_f16(s.minimum_bits, minimum);
    L::store(s.offset, L::mul(L::sub(L::set(0), minimum), L::load(s.inverse)));
    return s;
  }

  static void q8_0(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 34) {
      copy_2(out, s.scale_bits + 2 * b);
      for (std::size_t half = 0; half < 32; half += 16) {
        L::store_bytes(out + 2 + half, codes(values + 32 * b + half, s.inverse[b], 0, -127, 127));
      }
    }
  }
  static void q4_0(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 18) {
      const I low = codes(values + 32 * b, s.inverse[b], 8, 0, 15);
      const I high = codes(values + 32 * b + 16, s.inverse[b], 8, 0, 15);
      copy_2(out, s.scale_bits + 2 * b);
      store_nibbles(out + 2, low, high);
    }
  }
  static void q4_1(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 20) {
      const I low = codes(values + 32 * b, s.inverse[b], s.offset[b], 0, 15);
      const I high = codes(values + 32 * b + 16, s.inverse[b], s.offset[b], 0, 15);
      copy_2(out, s.scale_bits + 2 * b);
      copy_2(out + 2, s.minimum_bits + 2 * b);
      store_nibbles(out + 4, low, high);
    }
  }
  static void q5_0(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 22) {
      const I low = codes(values + 32 * b, s.inverse[b], 16, 0, 31);
      const I high = codes(values + 32 * b + 16, s.inverse[b], 16, 0, 31);
      copy_2(out, s.scale_bits + 2 * b);
      store_fifth_bits(out + 2, low, high);
      store_nibbles(out + 6, low, high);
    }
  }
  static void q5_1(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 24) {
      const I low = codes(values + 32 * b, s.inverse[b], s.offset[b], 0, 31);
      const I high = codes(values + 32 * b + 16, s.inverse[b], s.offset[b], 0, 31);
      copy_2(out, s.scale_bits + 2 * b);
      copy_2(out + 2, s.minimum_bits + 2 * b);
      store_fifth_bits(out + 4, low, high);
      store_nibbles(out + 8, low, high);
    }
  }

  static void iq4_nl(const float* values, std::size_t blocks, const Scales& s, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b, out += 18) {
      const F inverse = L::set(s.inverse[b]);
      copy_2(out, s.scale_bits + 2 * b);
      store_nibbles(out + 2, TableLevels<L>::code(L::load(values + 32 * b), inverse),
                    TableLevels<L>::code(L::load(values + 32 * b + 16), inverse));
    }
  }

  // code = x*inverse + offset, rounded and held within [lowest, highest]; the low bits of the
  // lanes.
  static I codes(const float* x, float inverse, float offset, float lowest, float highest) {
    const F t = L::add(L::fma(L::load(x), L::set(inverse), L::set(offset)), L::set(kMagic));
    return L::bits(L::min(L::max(t, L::set(kMagic + lowest)), L::set(kMagic + highest)));
  }
  static void copy_2(std::uint8_t* to, const std::uint8_t* from) { __builtin_memcpy(to, from, 2); }
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
};

}  // namespace qbuild::kernels
