#pragma once
// Packed rows to the wide blocks of kernels/matmul_tiles.h, exactly. Plain loops that the compiler
// turns into the vectors of L's instruction set; L only keeps the copies apart. Layouts:
// kernels/blocks.h.

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "kernels/blocks.h"
#include "kernels/decode_float4_lanes.h"
#include "kernels/float4_levels.h"
#include "kernels/matmul_tiles.h"
#include "kernels/matmul_unpack_grid_lanes.h"

namespace qbuild::kernels {

template <class L>
struct UnpackKernels {
  using U8 = std::uint8_t;
  using Grids = UnpackGridKernels<L>;

  static float half(const U8* from) {
    std::uint16_t bits;
    __builtin_memcpy(&bits, from, 2);
    return L::half(bits);
  }

  // A copy that no store through another pointer can touch, so that loops over it become vectors.
  template <std::size_t kCount>
  struct Copy {
    explicit Copy(const U8* from) { __builtin_memcpy(bytes, from, kCount); }
    U8 operator[](std::size_t i) const { return bytes[i]; }
    U8 bytes[kCount];
  };

  // Sixteen bytes of nibbles: the low ones are codes 0..15, the high ones 16..31.
  static void nibbles(const U8* packed, std::int8_t* codes) {
    const Copy<16> from(packed);
    for (std::size_t i = 0; i < 16; ++i) codes[i] = static_cast<std::int8_t>(from[i] & 15);
    for (std::size_t i = 0; i < 16; ++i) codes[i + 16] = static_cast<std::int8_t>(from[i] >> 4);
  }
  // Bit i of a byte as the top bit of byte i, whose other bits are 0.
  static std::uint64_t spread_bits(U8 from) {
    // Each bit is alone in its byte; adding 127 carries it to the top, wherever it is.
    const std::uint64_t spread = from * 0x0101010101010101U & 0x8040201008040201U;
    return (spread + 0x7f7f7f7f7f7f7f7fU) & 0x8080808080808080U;
  }
  // A word whose bit i is the fifth bit of code i.
  static void fifth_bits(const U8* from, std::int8_t* codes) {
    for (int byte = 0; byte < 4; ++byte) {
      std::uint64_t eight;
      __builtin_memcpy(&eight, codes + 8 * byte, 8);
      eight |= spread_bits(from[byte]) >> 3;
      __builtin_memcpy(codes + 8 * byte, &eight, 8);
    }
  }

  static void q8_0(const U8* row, std::size_t blocks, WideBlock32* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += 34, ++out) {
      out->scale = half(row);
      out->minimum = 0;
      __builtin_memcpy(out->codes, row + 2, 32);
    }
  }
  static void q4_0(const U8* row, std::size_t blocks, WideBlock32* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += 18, ++out) {
      out->scale = half(row);
      out->minimum = 0;
      nibbles(row + 2, out->codes);
    }
  }
  static void q4_1(const U8* row, std::size_t blocks, WideBlock32* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += 20, ++out) {
      out->scale = half(row);
      out->minimum = half(row + 2);
      nibbles(row + 4, out->codes);
    }
  }
  static void q5_0(const U8* row, std::size_t blocks, WideBlock32* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += 22, ++out) {
      out->scale = half(row);
      out->minimum = 0;
      nibbles(row + 6, out->codes);
      fifth_bits(row + 2, out->codes);
    }
  }
  static void q5_1(const U8* row, std::size_t blocks, WideBlock32* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += 24, ++out) {
      out->scale = half(row);
      out->minimum = half(row + 2);
      nibbles(row + 8, out->codes);
      fifth_bits(row + 4, out->codes);
    }
  }

  // Blocks of 128 values, +1 or -1, with the offset of Q4_0: four wide blocks each.
  static void q1_0(const U8* row, std::size_t blocks, WideBlock32* out) {
    for (std::size_t b = 0; b < blocks; ++b, ++out) {
      const U8* block = row + b / 4 * sizeof(BlockQ1_0);
      const U8* bits = block + 2 + 4 * (b % 4);
      out->scale = half(block);
      out->minimum = 0;
      for (int byte = 0; byte < 4; ++byte) {
        const std::uint64_t eight = 0x0707070707070707U + (spread_bits(bits[byte]) >> 6);
        __builtin_memcpy(out->codes + 8 * byte, &eight, 8);
      }
    }
  }
  // Blocks of 64 values, -1 to 2, with the offset of Q4_0: two wide blocks each.
  static void q2_0(const U8* row, std::size_t blocks, WideBlock32* out) {
    for (std::size_t b = 0; b < blocks; ++b, ++out) {
      const U8* block = row + b / 2 * sizeof(BlockQ2_0);
      const U8* pairs = block + 2 + 8 * (b % 2);
      out->scale = half(block);
      out->minimum = 0;
      for (int byte = 0; byte < 8; ++byte) {
        // Six bits further for each pair: pair i comes to lie at the bottom of byte i.
        const std::uint32_t q = pairs[byte];
        const std::uint32_t spread = (q | q << 6 | q << 12 | q << 18) & 0x03030303U;
        const std::uint32_t four = spread + 0x07070707U;
        __builtin_memcpy(out->codes + 4 * byte, &four, 4);
      }
    }
  }
  static void iq4_nl(const U8* row, std::size_t blocks, WideBlock32* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockIQ4_NL), ++out) {
      out->scale = half(row);
      out->minimum = 0;
      L::look_up(kFourBitLevels, row + 2, out->codes);
    }
  }
  // Levels from -12 to 12, with the offset of Q5_0.
  static void mxfp4(const U8* row, std::size_t blocks, WideBlock32* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockMXFP4), ++out) {
      out->scale = Float4Decoders<L>::half_of_e8m0(row[0]);
      out->minimum = 0;
      L::look_up(kFloat4Doubles, row + 1, out->codes);
      for (std::int8_t& code : out->codes) code = static_cast<std::int8_t>(code + 16);
    }
  }

  // Blocks of 64 values in four parts of 16: two wide blocks each.
  static void nvfp4(const U8* row, std::size_t blocks, WideBlock2x16* out) {
    for (std::size_t b = 0; b < blocks; ++b, ++out) {
      const U8* block = row + b / 2 * sizeof(BlockNVFP4);
      const std::size_t part = b % 2 * 2;
      for (std::size_t half = 0; half < 2; ++half)
        out->scales[half] = Float4Decoders<L>::half_of_ue4m3(block[part + half]);
      // The low nibbles of both parts come first, then the high ones of both.
      std::int8_t codes[32];
      L::look_up(kFloat4Doubles, block + 4 + 8 * part, codes);
      __builtin_memcpy(out->codes, codes, 8);
      __builtin_memcpy(out->codes + 8, codes + 16, 8);
      __builtin_memcpy(out->codes + 16, codes + 8, 8);
      __builtin_memcpy(out->codes + 24, codes + 24, 8);
    }
  }

  static U8* unsigned_codes(WideBlock256* out) { return reinterpret_cast<U8*>(out->codes); }
  static void no_minimums(WideBlock256* out) {
    out->minimum = 0;
    for (std::int16_t& minimum : out->minimums) minimum = 0;
  }

  // The two-bit codes of Q2_K and Q3_K; TQ2_0 has the same order.
  static void two_bits(const U8* packed, U8* codes) {
    for (int h = 0; h < 2; ++h) {
      const Copy<32> from(packed + 32 * h);
      for (int g = 0; g < 4; ++g, codes += 32) {
        for (std::size_t i = 0; i < 32; ++i) codes[i] = from[i] >> (2 * g) & 3;
      }
    }
  }
  static void q2_k(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockQ2_K), ++out) {
      out->scale = half(row + 80);
      out->minimum = half(row + 82);
      const Copy<16> scales(row);
      for (std::size_t s = 0; s < 16; ++s) out->scales[s] = scales[s] & 15;
      for (std::size_t s = 0; s < 16; ++s) out->minimums[s] = scales[s] >> 4;
      two_bits(row + 16, unsigned_codes(out));
    }
  }
  // Codes from -4 to 3, with the offset of Q6_K.
  static void q3_k(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockQ3_K), ++out) {
      out->scale = half(row + 108);
      no_minimums(out);
      const U8* scales = row + 96;
      for (int s = 0; s < 16; ++s) {
        const int low = scales[s % 8] >> 4 * (s / 8) & 15;
        const int high = scales[8 + s % 4] >> 2 * (s / 4) & 3;
        out->scales[s] = static_cast<std::int16_t>((low | high << 4) - 32);
      }
      U8* codes = unsigned_codes(out);
      two_bits(row + 32, codes);
      const Copy<32> high(row);
      for (int e = 0; e < 8; ++e, codes += 32) {
        for (std::size_t i = 0; i < 32; ++i) {
          codes[i] = static_cast<U8>(codes[i] + ((high[i] >> e & 1) << 2) + (32 - 4));
        }
      }
    }
  }

  // The twelve bytes with eight scales and eight minimums of six bits.
  static void six_bit_scales(const U8* packed, WideBlock256* out) {
    for (int s = 0; s < 8; ++s) {
      int scale = packed[s % 4] & 63;
      int minimum = packed[s % 4 + 4] & 63;
      if (s >= 4) {
        scale = (packed[s + 4] & 15) | (packed[s - 4] >> 6) << 4;
        minimum = packed[s + 4] >> 4 | (packed[s] >> 6) << 4;
      }
      out->scales[2 * s] = static_cast<std::int16_t>(scale);
      out->scales[2 * s + 1] = static_cast<std::int16_t>(scale);
      out->minimums[2 * s] = static_cast<std::int16_t>(minimum);
      out->minimums[2 * s + 1] = static_cast<std::int16_t>(minimum);
    }
  }
  static void q4_k(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += 144, ++out) {
      out->scale = half(row);
      out->minimum = half(row + 2);
      six_bit_scales(row + 4, out);
      for (int g = 0; g < 4; ++g) {
        const Copy<32> from(row + 16 + 32 * g);
        U8* codes = unsigned_codes(out) + 64 * g;
        for (std::size_t i = 0; i < 32; ++i) codes[i] = from[i] & 15;
        for (std::size_t i = 0; i < 32; ++i) codes[i + 32] = static_cast<U8>(from[i] >> 4);
      }
    }
  }
  static void q5_k(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += 176, ++out) {
      out->scale = half(row);
      out->minimum = half(row + 2);
      six_bit_scales(row + 4, out);
      const Copy<32> high(row + 16);
      for (int g = 0; g < 4; ++g) {
        const Copy<32> from(row + 48 + 32 * g);
        U8* codes = unsigned_codes(out) + 64 * g;
        for (std::size_t i = 0; i < 32; ++i) {
          codes[i] = static_cast<U8>((from[i] & 15) | (high[i] >> (2 * g) & 1) << 4);
        }
        for (std::size_t i = 0; i < 32; ++i) {
          codes[i + 32] = static_cast<U8>(from[i] >> 4 | (high[i] >> (2 * g + 1) & 1) << 4);
        }
      }
    }
  }
  static void q6_k(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += 210, ++out) {
      out->scale = half(row + 208);
      no_minimums(out);
      for (int i = 0; i < 16; ++i) {
        std::int8_t scale;
        __builtin_memcpy(&scale, row + 192 + i, 1);
        out->scales[i] = scale;
      }
      for (int h = 0; h < 2; ++h) {
        const Copy<64> low(row + 64 * h);
        const Copy<32> high(row + 128 + 32 * h);
        U8* codes = unsigned_codes(out) + 128 * h;
        for (std::size_t i = 0; i < 32; ++i)
          codes[i] = static_cast<U8>((low[i] & 15) | (high[i] & 3) << 4);
        for (std::size_t i = 0; i < 32; ++i) {
          codes[i + 32] = static_cast<U8>((low[i + 32] & 15) | (high[i] >> 2 & 3) << 4);
        }
        for (std::size_t i = 0; i < 32; ++i) {
          codes[i + 64] = static_cast<U8>(low[i] >> 4 | (high[i] >> 4 & 3) << 4);
        }
        for (std::size_t i = 0; i < 32; ++i) {
          codes[i + 96] = static_cast<U8>(low[i + 32] >> 4 | (high[i] >> 6) << 4);
        }
      }
    }
  }

  static void iq4_xs(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockIQ4_XS), ++out) {
      out->scale = half(row);
      no_minimums(out);
      for (int s = 0; s < 8; ++s) {
        const int low = row[4 + s / 2] >> 4 * (s % 2) & 15;
        const int high = row[2 + s / 4] >> 2 * (s % 4) & 3;
        const auto scale = static_cast<std::int16_t>((low | high << 4) - 32);
        out->scales[2 * s] = scale;
        out->scales[2 * s + 1] = scale;
        L::look_up(kFourBitLevels, row + 8 + 16 * s, out->codes + 32 * s);
      }
    }
  }

  // Ternary types have codes from -1, with the offset of Q6_K, and one scale a block.
  static void one_scale(float scale, WideBlock256* out) {
    out->scale = scale;
    for (std::int16_t& one : out->scales) one = 1;
    no_minimums(out);
  }
  // Digits 0 to kDigits - 1 of kCount bytes in base 3, as BlockTQ1_0 has them.
  template <int kDigits, std::size_t kCount>
  static void digits(const U8* packed, U8* codes) {
    const Copy<kCount> from(packed);
    unsigned power = 1;
    for (int n = 0; n < kDigits; ++n, power *= 3, codes += kCount) {
      for (std::size_t i = 0; i < kCount; ++i) {
        codes[i] = static_cast<U8>(((from[i] * power & 255) * 3 >> 8) + (32 - 1));
      }
    }
  }
  static void tq1_0(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockTQ1_0), ++out) {
      one_scale(half(row + 52), out);
      U8* codes = unsigned_codes(out);
      digits<5, 32>(row, codes);
      digits<5, 16>(row + 32, codes + 160);
      digits<4, 4>(row + 48, codes + 240);
    }
  }
  static void tq2_0(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockTQ2_0), ++out) {
      one_scale(half(row + 64), out);
      two_bits(row, unsigned_codes(out));
      for (std::int8_t& code : out->codes) code = static_cast<std::int8_t>(code + (32 - 1));
    }
  }

  static void unpack_32(DType dtype, const U8* row, std::size_t blocks, WideBlock32* out) {
    switch (dtype) {
      case DType::kQ8_0:
        return q8_0(row, blocks, out);
      case DType::kQ4_0:
        return q4_0(row, blocks, out);
      case DType::kQ4_1:
        return q4_1(row, blocks, out);
      case DType::kQ5_0:
        return q5_0(row, blocks, out);
      case DType::kQ5_1:
        return q5_1(row, blocks, out);
      case DType::kQ1_0:
        return q1_0(row, blocks, out);
      case DType::kQ2_0:
        return q2_0(row, blocks, out);
      case DType::kIQ4_NL:
        return iq4_nl(row, blocks, out);
      case DType::kMXFP4:
        return mxfp4(row, blocks, out);
      default:
        return;  // kernels/matmul.cc asks for the types above and below only
    }
  }
  static void unpack(DType dtype, const U8* row, std::size_t blocks, void* out) {
    auto* const wide = static_cast<WideBlock256*>(out);
    switch (dtype) {
      case DType::kQ2_K:
        return q2_k(row, blocks, wide);
      case DType::kQ3_K:
        return q3_k(row, blocks, wide);
      case DType::kQ4_K:
        return q4_k(row, blocks, wide);
      case DType::kQ5_K:
        return q5_k(row, blocks, wide);
      case DType::kQ6_K:
        return q6_k(row, blocks, wide);
      case DType::kIQ4_XS:
        return iq4_xs(row, blocks, wide);
      case DType::kIQ3_S:
        return Grids::iq3_s(row, blocks, wide);
      case DType::kIQ3_XXS:
        return Grids::iq3_xxs(row, blocks, wide);
      case DType::kIQ2_S:
        return Grids::iq2_s(row, blocks, wide);
      case DType::kIQ2_XS:
        return Grids::iq2_xs(row, blocks, wide);
      case DType::kIQ2_XXS:
        return Grids::iq2_xxs(row, blocks, wide);
      case DType::kIQ1_S:
        return Grids::iq1_s(row, blocks, wide);
      case DType::kIQ1_M:
        return Grids::iq1_m(row, blocks, wide);
      case DType::kTQ1_0:
        return tq1_0(row, blocks, wide);
      case DType::kTQ2_0:
        return tq2_0(row, blocks, wide);
      case DType::kNVFP4:
        return nvfp4(row, blocks, static_cast<WideBlock2x16*>(out));
      default:
        return unpack_32(dtype, row, blocks, static_cast<WideBlock32*>(out));
    }
  }
};

}  // namespace qbuild::kernels
