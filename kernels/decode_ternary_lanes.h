#pragma once
// Decoders of the types of one or two bits with one scale a block. Loops as in
// kernels/decode_lanes.h.

#include <cstddef>
#include <cstdint>

#include "base/half.h"
#include "kernels/blocks.h"
#include "kernels/decode_lanes.h"

namespace qbuild::kernels {

template <class L>
struct TernaryDecoders {
  using U8 = std::uint8_t;

  // Digits 0 to kDigits - 1 of kCount bytes: element kCount * n + m is digit n of byte m. Every
  // byte has such digits, also those that no encoder writes.
  template <int kDigits, int kCount>
  static void digits(const U8* q, float d, float* out) {
    int power = 1;
    for (int n = 0; n < kDigits; ++n, power *= 3) {
      for (int m = 0; m < kCount; ++m) {
        const int digit = (q[m] * power & 255) * 3 >> 8;
        out[kCount * n + m] = d * static_cast<float>(digit - 1);
      }
    }
  }
  static void tq1_0(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockTQ1_0), out += 256) {
      const auto block = Decoders<L>::template load<BlockTQ1_0>(from);
      const float d = f16_to_f32(block.d_bits);
      digits<5, 32>(block.q, d, out);
      digits<5, 16>(block.q + 32, d, out + 160);
      digits<4, 4>(block.rest, d, out + 240);
    }
  }
  static void tq2_0(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockTQ2_0), out += 256) {
      const auto block = Decoders<L>::template load<BlockTQ2_0>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int s = 0; s < 8; ++s) {
        const U8* q = block.q + 32 * (s / 4);
        const int shift = 2 * (s % 4);
        float* to = out + 32 * s;
        for (int l = 0; l < 32; ++l) to[l] = d * static_cast<float>((q[l] >> shift & 3) - 1);
      }
    }
  }
  static void q1_0(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ1_0), out += 128) {
      const auto block = Decoders<L>::template load<BlockQ1_0>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int j = 0; j < 128; ++j) {
        out[j] = d * static_cast<float>(2 * (block.q[j / 8] >> j % 8 & 1) - 1);
      }
    }
  }
  static void q2_0(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ2_0), out += 64) {
      const auto block = Decoders<L>::template load<BlockQ2_0>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int j = 0; j < 64; ++j) {
        out[j] = d * static_cast<float>((block.q[j / 4] >> 2 * (j % 4) & 3) - 1);
      }
    }
  }
};

}  // namespace qbuild::kernels
