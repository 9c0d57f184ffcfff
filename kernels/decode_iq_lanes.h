#pragma once
// Decoders of the types with grids. Vectors are looked up one by one: there are no registers of
// sixteen lanes in these loops, only what the compiler makes of eight or four elements. All
// products are exact in binary32 (eleven bits of d, at most five of the scale and six of a
// magnitude), so their order does not matter.

#include <cstddef>
#include <cstdint>

#include "base/half.h"
#include "kernels/blocks.h"
#include "kernels/decode_lanes.h"
#include "kernels/iq_grids.h"

namespace qbuild::kernels {

template <class L>
struct IqDecoders {
  using U8 = std::uint8_t;

  static std::uint32_t word_of(const U8* from) {
    std::uint32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
  }
  // The signs that a code of seven bits stands for: the eighth makes the minus signs even.
  static unsigned signs_of(unsigned code) {
    unsigned parity = code ^ code >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return code | (parity & 1) << 7;
  }
  static float signed_level(int level, unsigned signs, int j) {
    return static_cast<float>((signs >> j & 1) != 0 ? -level : level);
  }

  // Eight elements of magnitudes 8, 25, 43.
  static void vector_2bit(unsigned code, unsigned signs, float scale, float* out) {
    for (int j = 0; j < 8; ++j) {
      const int digit = static_cast<int>(code >> 2 * j & 3);
      out[j] = scale * signed_level(8 + 17 * digit + (digit >> 1), signs, j);
    }
  }
  static float scale_2bit(float d, int scale) {
    return d * (0.5F + static_cast<float>(scale)) * 0.25F;
  }

  static void iq2_xxs(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockIQ2_XXS), out += 256) {
      const auto block = Decoders<L>::template load<BlockIQ2_XXS>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int s = 0; s < 8; ++s) {
        const std::uint32_t word = word_of(block.groups[s].signs);
        const float scale = scale_2bit(d, static_cast<int>(word >> 28));
        for (int l = 0; l < 4; ++l) {
          vector_2bit(kGrid2Bit256.codes[block.groups[s].grid[l]], signs_of(word >> 7 * l & 127),
                      scale, out + 32 * s + 8 * l);
        }
      }
    }
  }
  static void iq2_xs(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockIQ2_XS), out += 256) {
      const auto block = Decoders<L>::template load<BlockIQ2_XS>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int v = 0; v < 32; ++v) {
        const unsigned q = block.q[v];
        const int scale = block.scales[v / 4] >> 4 * (v / 2 % 2) & 15;
        vector_2bit(kGrid2Bit512.codes[q & 511], signs_of(q >> 9), scale_2bit(d, scale),
                    out + 8 * v);
      }
    }
  }
  static void iq2_s(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockIQ2_S), out += 256) {
      const auto block = Decoders<L>::template load<BlockIQ2_S>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int v = 0; v < 32; ++v) {
        const int at = block.grid[v] | (block.high[v / 4] >> 2 * (v % 4) & 3) << 8;
        const int scale = block.scales[v / 4] >> 4 * (v / 2 % 2) & 15;
        vector_2bit(kGrid2Bit1024.codes[at], block.signs[v], scale_2bit(d, scale), out + 8 * v);
      }
    }
  }

  static void iq3_xxs(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockIQ3_XXS), out += 256) {
      const auto block = Decoders<L>::template load<BlockIQ3_XXS>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int v = 0; v < 64; ++v) {
        const std::uint32_t word = word_of(block.signs[v / 8]);
        const float scale = d * (0.5F + static_cast<float>(word >> 28)) * 0.5F;
        const unsigned signs = signs_of(word >> 7 * (v / 2 % 4) & 127) >> 4 * (v % 2);
        const unsigned code = kGrid3Bit256.codes[block.grid[v]];
        for (int j = 0; j < 4; ++j) {
          // The last of the magnitudes is 62 where the step of eight would have 60.
          const int digit = static_cast<int>(code >> 3 * j & 7);
          const int level = 4 + 8 * digit + (digit == 7 ? 2 : 0);
          out[4 * v + j] = scale * signed_level(level, signs, j);
        }
      }
    }
  }
  static void iq3_s(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockIQ3_S), out += 256) {
      const auto block = Decoders<L>::template load<BlockIQ3_S>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int v = 0; v < 64; ++v) {
        const int group = v / 8;
        const int sc = block.scales[group / 2] >> 4 * (group % 2) & 15;
        const float scale = d * static_cast<float>(1 + 2 * sc);
        const unsigned signs = static_cast<unsigned>(block.signs[v / 2]) >> 4 * (v % 2);
        const int at = block.grid[v] | (block.high[group] >> v % 8 & 1) << 8;
        const unsigned code = kGrid3Bit512.codes[at];
        for (int j = 0; j < 4; ++j) {
          const int digit = static_cast<int>(code >> 3 * j & 7);
          out[4 * v + j] = scale * signed_level(1 + 2 * digit, signs, j);
        }
      }
    }
  }

  // Eight elements of -1, 0 or 1, moved by an eighth.
  static void vector_1bit(int at, bool down, float scale, float* out) {
    const unsigned code = kGrid1Bit2048.codes[at];
    const float delta = down ? -0.125F : 0.125F;
    for (int j = 0; j < 8; ++j) {
      const int digit = static_cast<int>(code >> 2 * j & 3);
      out[j] = scale * (static_cast<float>(digit - 1) + delta);
    }
  }
  static void iq1_s(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockIQ1_S), out += 256) {
      const auto block = Decoders<L>::template load<BlockIQ1_S>(from);
      const float d = f16_to_f32(block.d_bits);
      for (int v = 0; v < 32; ++v) {
        const int high = block.high[v / 4];
        const float scale = d * static_cast<float>(2 * (high >> 12 & 7) + 1);
        vector_1bit(block.grid[v] | (high >> 3 * (v % 4) & 7) << 8, (high >> 15) != 0, scale,
                    out + 8 * v);
      }
    }
  }
  static void iq1_m(const U8* from, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, from += sizeof(BlockIQ1_M), out += 256) {
      const auto block = Decoders<L>::template load<BlockIQ1_M>(from);
      unsigned d_bits = 0;
      for (int i = 0; i < 4; ++i) d_bits |= static_cast<unsigned>(block.scales[i] >> 12) << 4 * i;
      const float d = f16_to_f32(static_cast<std::uint16_t>(d_bits));
      for (int v = 0; v < 32; ++v) {
        const int high = block.high[v / 2] >> 4 * (v % 2) & 15;
        const int sc = block.scales[v / 8] >> 3 * (v / 2 % 4) & 7;
        vector_1bit(block.grid[v] | (high & 7) << 8, (high & 8) != 0,
                    d * static_cast<float>(2 * sc + 1), out + 8 * v);
      }
    }
  }
};

}  // namespace qbuild::kernels
