#pragma once
// Packed rows to the wide blocks of kernels/matmul_tiles.h, exactly. Plain loops that the compiler
// turns into the vectors of L's instruction set; L only keeps the copies apart. Layouts: gguf.md 8.

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

template <class L>
struct UnpackKernels {
  using U8 = std::uint8_t;

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
  // A word whose bit i is the fifth bit of code i.
  static void fifth_bits(const U8* from, std::int8_t* codes) {
    for (int byte = 0; byte < 4; ++byte) {
      // Bit i of the byte alone in byte i of a word; adding 127 carries any bit to the top of its
      // byte.
      const std::uint64_t spread = from[byte] * 0x0101010101010101U & 0x8040201008040201U;
      const std::uint64_t bits = (spread + 0x7f7f7f7f7f7f7f7fU) >> 3 & 0x1010101010101010U;
      std::uint64_t eight;
      __builtin_memcpy(&eight, codes + 8 * byte, 8);
      eight |= bits;
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
      out->minimums[s] = static_cast<std::int16_t>(minimum);
    }
  }
  static void q4_k(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += 144, ++out) {
      out->scale = half(row);
      out->minimum = half(row + 2);
      six_bit_scales(row + 4, out);
      for (int g = 0; g < 4; ++g) {
        const Copy<32> from(row + 16 + 32 * g);
        U8* codes = out->codes + 64 * g;
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
        U8* codes = out->codes + 64 * g;
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
      out->minimum = 0;
      for (int i = 0; i < 8; ++i) out->minimums[i] = 0;
      for (int i = 0; i < 16; ++i) {
        std::int8_t scale;
        __builtin_memcpy(&scale, row + 192 + i, 1);
        out->scales[i] = scale;
      }
      for (int h = 0; h < 2; ++h) {
        const Copy<64> low(row + 64 * h);
        const Copy<32> high(row + 128 + 32 * h);
        U8* codes = out->codes + 128 * h;
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

  static void unpack(DType dtype, const U8* row, std::size_t blocks, void* out) {
    switch (dtype) {
      case DType::kQ8_0:
        return q8_0(row, blocks, static_cast<WideBlock32*>(out));
      case DType::kQ4_0:
        return q4_0(row, blocks, static_cast<WideBlock32*>(out));
      case DType::kQ5_0:
        return q5_0(row, blocks, static_cast<WideBlock32*>(out));
      case DType::kQ5_1:
        return q5_1(row, blocks, static_cast<WideBlock32*>(out));
      case DType::kQ4_K:
        return q4_k(row, blocks, static_cast<WideBlock256*>(out));
      case DType::kQ5_K:
        return q5_k(row, blocks, static_cast<WideBlock256*>(out));
      case DType::kQ6_K:
        return q6_k(row, blocks, static_cast<WideBlock256*>(out));
      default:
        return;  // kernels/matmul.cc asks for the types above only
    }
  }
};

}  // namespace qbuild::kernels
