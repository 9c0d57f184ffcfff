#pragma once
// Decoders of plain values and of even grids; decode_float4_lanes.h, decode_ternary_lanes.h and
// decode_iq_lanes.h have the others. Plain loops that the compiler turns into the vectors of L's
// instruction set. Products and sums are rounded one by one in the order that kernels/blocks.h
// writes them, so every backend gives the same floats.

#include <cstddef>
#include <cstdint>

#include "base/half.h"
#include "kernels/blocks.h"

namespace qbuild::kernels {

template <class L>
struct Decoders {
  using U8 = std::uint8_t;

  template <class Block>
  static Block load(const U8* from) {
    Block block;
    __builtin_memcpy(&block, from, sizeof block);
    return block;
  }

  static void f16(const U8* from, std::size_t count, float* out) {
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) L::store(out + i, L::load_f16(from + 2 * i));
    for (; i < count; ++i) {
      std::uint16_t bits;
      __builtin_memcpy(&bits, from + 2 * i, sizeof bits);
      out[i] = f16_to_f32(bits);
    }
  }
  static void bf16(const U8* from, std::size_t count, float* out) {
    for (std::size_t i = 0; i < count; ++i) {
      std::uint16_t bits;
      __builtin_memcpy(&bits, from + 2 * i, sizeof bits);
      const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
      __builtin_memcpy(out + i, &wide, sizeof wide);
    }
  }

  static void q8_0(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ8_0), out += 32) {
      const auto block = load<BlockQ8_0>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(block.q[j]);
    }
  }
  static void q4_0(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ4_0), out += 32) {
      const auto block = load<BlockQ4_0>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int j = 0; j < 16; ++j) out[j] = d * static_cast<float>((block.q[j] & 15) - 8);
      for (int j = 0; j < 16; ++j) out[j + 16] = d * static_cast<float>((block.q[j] >> 4) - 8);
    }
  }

  static void q4_1(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ4_1), out += 32) {
      const auto block = load<BlockQ4_1>(from);
      const float d = f16_to_f32(block.d_bits);
      const float m = f16_to_f32(block.m_bits);
      for (int j = 0; j < 16; ++j) out[j] = d * static_cast<float>(block.q[j] & 15) + m;
      for (int j = 0; j < 16; ++j) out[j + 16] = d * static_cast<float>(block.q[j] >> 4) + m;
    }
  }

  // The five-bit codes of a block of 32.
  static void five_bits(const U8* high, const U8* q, int* codes) {
    std::uint32_t fifth;
    __builtin_memcpy(&fifth, high, sizeof fifth);
    for (int j = 0; j < 16; ++j) {
      codes[j] = (q[j] & 15) | static_cast<int>(fifth >> j & 1U) << 4;
    }
    for (int j = 0; j < 16; ++j) {
      codes[j + 16] = q[j] >> 4 | static_cast<int>(fifth >> (j + 16) & 1U) << 4;
    }
  }
  static void q5_0(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ5_0), out += 32) {
      const auto block = load<BlockQ5_0>(from);
      const float d = f16_to_f32(block.d_bits);
      int codes[32];
      five_bits(block.high, block.q, codes);
      for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(codes[j] - 16);
    }
  }
  static void q5_1(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ5_1), out += 32) {
      const auto block = load<BlockQ5_1>(from);
      const float d = f16_to_f32(block.d_bits);
      const float m = f16_to_f32(block.m_bits);
      int codes[32];
      five_bits(block.high, block.q, codes);
      for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(codes[j]) + m;
    }
  }

  static void q2_k(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ2_K), out += 256) {
      const auto block = load<BlockQ2_K>(from);
      const float d = f16_to_f32(block.d_bits);
      const float dmin = f16_to_f32(block.dmin_bits);
      for (int s = 0; s < 16; ++s) {
        const U8* q = block.q + 32 * (s / 8) + 16 * (s % 2);
        const int shift = 2 * (s / 2 % 4);
        const float scale = d * static_cast<float>(block.scales[s] & 15);
        const float minimum = dmin * static_cast<float>(block.scales[s] >> 4);
        float* to = out + 16 * s;
        for (int l = 0; l < 16; ++l) {
          to[l] = scale * static_cast<float>(q[l] >> shift & 3) - minimum;
        }
      }
    }
  }
  static void q3_k(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ3_K), out += 256) {
      const auto block = load<BlockQ3_K>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int s = 0; s < 16; ++s) {
        const int first = 16 * (s % 2);
        const U8* q = block.q + 32 * (s / 8) + first;
        const U8* high = block.high + first;
        const int shift = 2 * (s / 2 % 4);
        const int sc = (block.scales[s % 8] >> 4 * (s / 8) & 15) |
                       (block.scales[8 + s % 4] >> 2 * (s / 4) & 3) << 4;
        const float scale = d * static_cast<float>(sc - 32);
        float* to = out + 16 * s;
        for (int l = 0; l < 16; ++l) {
          const int code = (q[l] >> shift & 3) | (high[l] >> (s / 2) & 1) << 2;
          to[l] = scale * static_cast<float>(code - 4);
        }
      }
    }
  }

  // d*sc and dmin*m of the eight sub-blocks.
  struct AffineScales {
    float scale[8], minimum[8];
  };
  static AffineScales affine_scales(const U8* scales, float d, float dmin) {
    AffineScales out;
    for (int s = 0; s < 4; ++s) {
      const int sc_high = (scales[s + 8] & 15) | scales[s] >> 6 << 4;
      const int m_high = scales[s + 8] >> 4 | scales[s + 4] >> 6 << 4;
      out.scale[s] = d * static_cast<float>(scales[s] & 63);
      out.scale[s + 4] = d * static_cast<float>(sc_high);
      out.minimum[s] = dmin * static_cast<float>(scales[s + 4] & 63);
      out.minimum[s + 4] = dmin * static_cast<float>(m_high);
    }
    return out;
  }
  static void q4_k(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ4_K), out += 256) {
      const auto block = load<BlockQ4_K>(from);
      const AffineScales a =
          affine_scales(block.scales, f16_to_f32(block.d_bits), f16_to_f32(block.dmin_bits));
      for (int s = 0; s < 8; ++s) {
        const U8* q = block.q + 32 * (s / 2);
        const int shift = 4 * (s % 2);
        float* to = out + 32 * s;
        for (int l = 0; l < 32; ++l) {
          to[l] = a.scale[s] * static_cast<float>(q[l] >> shift & 15) - a.minimum[s];
        }
      }
    }
  }
  static void q5_k(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ5_K), out += 256) {
      const auto block = load<BlockQ5_K>(from);
      const AffineScales a =
          affine_scales(block.scales, f16_to_f32(block.d_bits), f16_to_f32(block.dmin_bits));
      for (int s = 0; s < 8; ++s) {
        const U8* q = block.q + 32 * (s / 2);
        const int shift = 4 * (s % 2);
        float* to = out + 32 * s;
        for (int l = 0; l < 32; ++l) {
          const int code = (q[l] >> shift & 15) | (block.high[l] >> s & 1) << 4;
          to[l] = a.scale[s] * static_cast<float>(code) - a.minimum[s];
        }
      }
    }
  }
  static void q6_k(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockQ6_K), out += 256) {
      const auto block = load<BlockQ6_K>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int s = 0; s < 16; ++s) {
        // Quarter k of half h: its codes are in the low or high nibbles and in bits 2k of the high
        // bytes.
        const int h = s / 8;
        const int k = s / 2 % 4;
        const int first = 16 * (s % 2);
        const U8* low = block.low4 + 64 * h + 32 * (k % 2) + first;
        const U8* high = block.high2 + 32 * h + first;
        const int low_shift = 4 * (k / 2);
        const float scale = d * static_cast<float>(block.scales[s]);
        float* to = out + 16 * s;
        for (int l = 0; l < 16; ++l) {
          const int code = (low[l] >> low_shift & 15) | (high[l] >> (2 * k) & 3) << 4;
          to[l] = scale * static_cast<float>(code - 32);
        }
      }
    }
  }
};

}  // namespace qbuild::kernels
