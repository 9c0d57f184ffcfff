#pragma once
// Decoders of the types whose four bits are no even grid. Loops as in kernels/decode_lanes.h.

#include <cstddef>
#include <cstdint>

#include "base/half.h"
#include "kernels/blocks.h"
#include "kernels/decode_lanes.h"
#include "kernels/float4_levels.h"

namespace qbuild::kernels {

template <class L>
struct Float4Decoders {
  using U8 = std::uint8_t;

  // kCount low nibbles, then the high ones of the same bytes.
  template <int kCount>
  static void nibbles(const U8* q, const std::int8_t* levels, float scale, float* out) {
    for (int j = 0; j < kCount; ++j) out[j] = scale * static_cast<float>(levels[q[j] & 15]);
    for (int j = 0; j < kCount; ++j)
      out[j + kCount] = scale * static_cast<float>(levels[q[j] >> 4]);
  }
  static float float_of(std::uint32_t bits) {
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
  }

  static void iq4_nl(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockIQ4_NL), out += 32) {
      const auto block = Decoders<L>::template load<BlockIQ4_NL>(from);
      nibbles<16>(block.q, kFourBitLevels, f16_to_f32(block.d_bits), out);
    }
  }
  static void iq4_xs(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockIQ4_XS), out += 256) {
      const auto block = Decoders<L>::template load<BlockIQ4_XS>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int s = 0; s < 8; ++s) {
        const int sc =
            (block.scales_low[s / 2] >> 4 * (s % 2) & 15) | (block.scales_high >> 2 * s & 3) << 4;
        nibbles<16>(block.q + 16 * s, kFourBitLevels, d * static_cast<float>(sc - 32),
                    out + 32 * s);
      }
    }
  }

  // 2^(e - 128), exactly: the two smallest are denormal.
  static float half_of_e8m0(U8 e) { return float_of(e < 2 ? 0x00200000U << e : (e - 1U) << 23); }
  static void mxfp4(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockMXFP4), out += 32) {
      const auto block = Decoders<L>::template load<BlockMXFP4>(from);
      nibbles<16>(block.q, kFloat4Doubles, half_of_e8m0(block.e), out);
    }
  }

  // Half of an unsigned E4M3 number. The top bit carries nothing, but it keeps 0xFF from being the
  // not-a-number that stands for zero: so has the reference it.
  static float half_of_ue4m3(U8 bits) {
    if (bits == 0x7F) return 0;
    const unsigned exponent = bits >> 3 & 15;
    const unsigned mantissa = bits & 7;
    if (exponent == 0) return static_cast<float>(mantissa) * 0x1p-10F;
    return float_of((exponent - 8 + 127) << 23 | mantissa << 20);
  }
  static void nvfp4(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockNVFP4), out += 64) {
      const auto block = Decoders<L>::template load<BlockNVFP4>(from);
      for (int s = 0; s < 4; ++s) {
        nibbles<8>(block.q[s], kFloat4Doubles, half_of_ue4m3(block.scales[s]), out + 16 * s);
      }
    }
  }
};

}  // namespace qbuild::kernels
