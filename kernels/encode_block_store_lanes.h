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
  using Scale = ScaleKernels<L>;
  static constexpr std::size_t kGroup = 16;  // blocks whose scales are found at once, one per lane

  // Up to sixteen blocks. A store fetches as many values from `next` into the nearest cache, each
  // block's in turn: all of them at once would have to wait for each other. Null: none.
  struct Blocks {
    const float* values;
    std::size_t count;
    const float* next = nullptr;
  };

  // Of up to sixteen blocks.
  struct Scales {
    float inverse[kGroup];  // of the scale
    float offset[kGroup];   // -minimum*inverse
    std::uint8_t scale_bits[2 * kGroup];
    std::uint8_t minimum_bits[2 * kGroup];
  };
  // Both are binary16 values.
  static Scales scales_of(F scale) {
    Scales s;
    L::store(s.inverse, Scale::inverse(scale));
    L::store_f16(s.scale_bits, scale);
    return s;
  }
  static Scales scales_of(F scale, F minimum) {
    Scales s = scales_of(scale);
    L::store_f16(s.minimum_bits, minimum);
    L::store(s.offset, L::mul(L::sub(L::set(0), minimum), L::load(s.inverse)));
    return s;
  }

  static void q8_0(const Blocks& blocks, const Scales& s, std::uint8_t* out) {
    for_each(blocks, 34, out, [&](const float* x, std::size_t b, std::uint8_t* to) {
      copy_2(to, s.scale_bits + 2 * b);
      L::template round_32<-127, 127>(x, {s.inverse[b], s.inverse[b]}, 0, to + 2);
    });
  }
  static void q4_0(const Blocks& blocks, const Scales& s, std::uint8_t* out) {
    for_each(blocks, 18, out, [&](const float* x, std::size_t b, std::uint8_t* to) {
      std::uint8_t codes[32];
      L::template round_32<0, 15>(x, {s.inverse[b], s.inverse[b]}, 8, codes);
      copy_2(to, s.scale_bits + 2 * b);
      L::store_nibbles(to + 2, codes);
    });
  }
  static void q4_1(const Blocks& blocks, const Scales& s, std::uint8_t* out) {
    for_each(blocks, 20, out, [&](const float* x, std::size_t b, std::uint8_t* to) {
      std::uint8_t codes[32];
      L::template round_32<0, 15>(x, {s.inverse[b], s.inverse[b]}, s.offset[b], codes);
      copy_2(to, s.scale_bits + 2 * b);
      copy_2(to + 2, s.minimum_bits + 2 * b);
      L::store_nibbles(to + 4, codes);
    });
  }
  static void q5_0(const Blocks& blocks, const Scales& s, std::uint8_t* out) {
    for_each(blocks, 22, out, [&](const float* x, std::size_t b, std::uint8_t* to) {
      std::uint8_t codes[32];
      L::template round_32<0, 31>(x, {s.inverse[b], s.inverse[b]}, 16, codes);
      copy_2(to, s.scale_bits + 2 * b);
      store_five_bits(to + 2, codes);
    });
  }
  static void q5_1(const Blocks& blocks, const Scales& s, std::uint8_t* out) {
    for_each(blocks, 24, out, [&](const float* x, std::size_t b, std::uint8_t* to) {
      std::uint8_t codes[32];
      L::template round_32<0, 31>(x, {s.inverse[b], s.inverse[b]}, s.offset[b], codes);
      copy_2(to, s.scale_bits + 2 * b);
      copy_2(to + 2, s.minimum_bits + 2 * b);
      store_five_bits(to + 4, codes);
    });
  }
  static void iq4_nl(const Blocks& blocks, const Scales& s, std::uint8_t* out) {
    for_each(blocks, 18, out, [&](const float* x, std::size_t b, std::uint8_t* to) {
      std::uint8_t codes[32];
      TableLevels<L>::codes_32(x, {s.inverse[b], s.inverse[b]}, codes);
      copy_2(to, s.scale_bits + 2 * b);
      L::store_nibbles(to + 2, codes);
    });
  }

 private:
  // `each(values, index, bytes)` of every block.
  template <class Each>
  static void for_each(const Blocks& blocks, std::size_t block_bytes, std::uint8_t* out,
                       const Each& each) {
    for (std::size_t b = 0; b < blocks.count; ++b) {
      if (blocks.next != nullptr) {
        __builtin_prefetch(blocks.next + 32 * b);
        __builtin_prefetch(blocks.next + 32 * b + 16);
      }
      each(blocks.values + 32 * b, b, out + block_bytes * b);
    }
  }
  static void copy_2(std::uint8_t* to, const std::uint8_t* from) { __builtin_memcpy(to, from, 2); }
  static void store_five_bits(std::uint8_t* to, const std::uint8_t* codes) {
    const std::uint32_t fifth = L::fifth_bits(codes);
    __builtin_memcpy(to, &fifth, sizeof fifth);
    L::store_nibbles(to + 4, codes);
  }
};

}  // namespace qbuild::kernels
