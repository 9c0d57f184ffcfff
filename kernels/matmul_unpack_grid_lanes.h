#pragma once
// Rows of the types with grids to the wide blocks of kernels/matmul_tiles.h, exactly: vectors
// become signed codes, of IQ1 eight times an element and its delta. The bytes of a vector are made
// together in one word; L only keeps the copies for different instruction sets apart. Layouts:
// kernels/blocks.h and docs/types/grids.md.

#include <cstddef>
#include <cstdint>

#include "kernels/blocks.h"
#include "kernels/decode_iq_lanes.h"
#include "kernels/iq_grids.h"
#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

template <class L>
struct UnpackGridKernels {
  using U8 = std::uint8_t;
  using Word = std::uint64_t;
  static constexpr Word kOnes = 0x0101010101010101U;

  // What all types have: a scale of the block, and no minimums.
  static void begin(float scale, WideBlock256* out) {
    out->scale = scale;
    out->minimum = 0;
    for (std::int16_t& minimum : out->minimums) minimum = 0;
  }
  // The odd number that a scale code stands for, of a part of 16 values.
  static std::int16_t odd(unsigned code) { return static_cast<std::int16_t>(2 * code + 1); }
  // The same of two parts.
  static void odd_of_two(unsigned code, std::int16_t* scales) {
    scales[0] = odd(code);
    scales[1] = odd(code);
  }

  // Eight digits of two bits, a byte each.
  static Word eight_digits(Word code) {
    code = (code | code << 24) & 0x000000FF000000FFU;
    code = (code | code << 12) & 0x000F000F000F000FU;
    return (code | code << 6) & 0x0303030303030303U;
  }
  // Four digits of three bits, a byte each.
  static Word four_digits(Word code) {
    code = (code | code << 10) & 0x003F003FU;
    return (code | code << 5) & 0x07070707U;
  }
  // `mask` of a number's bits, from `first` on.
  static unsigned bits(unsigned number, std::size_t first, unsigned mask) {
    return number >> first & mask;
  }
  // Byte i, 1 to 127, becomes negative where bit i of `signs` is set.
  static Word with_signs(Word bytes, unsigned signs) {
    // Each bit is alone in its byte; adding 127 carries it to the top, wherever it is.
    const Word alone = signs * kOnes & 0x8040201008040201U;
    const Word minus = (alone + 0x7F * kOnes) >> 7 & kOnes;
    return (bytes ^ minus * 0xFF) + minus;
  }
  static void store(Word bytes, std::size_t vector, WideBlock256* out) {
    __builtin_memcpy(out->codes + 8 * vector, &bytes, 8);
  }

  // 8, 25 or 43 for digits 0, 1, 2.
  static Word levels_2bit(unsigned code) {
    const Word digits = eight_digits(code);
    return 8 * kOnes + 17 * digits + (digits >> 1 & kOnes);
  }
  static void iq2_xxs(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockIQ2_XXS), ++out) {
      BlockIQ2_XXS block;
      __builtin_memcpy(&block, row, sizeof block);
      begin(L::half(block.d_bits) * 0.125F, out);
      for (std::size_t s = 0; s < 8; ++s) {
        const std::uint32_t word = IqDecoders<L>::word_of(block.groups[s].signs);
        odd_of_two(word >> 28, out->scales + 2 * s);
        for (std::size_t l = 0; l < 4; ++l) {
          const Word levels = levels_2bit(kGrid2Bit256.codes[block.groups[s].grid[l]]);
          store(with_signs(levels, IqDecoders<L>::signs_of(word >> 7 * l & 127)), 4 * s + l, out);
        }
      }
    }
  }
  static void iq2_xs(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockIQ2_XS), ++out) {
      BlockIQ2_XS block;
      __builtin_memcpy(&block, row, sizeof block);
      begin(L::half(block.d_bits) * 0.125F, out);
      for (std::size_t s = 0; s < 16; ++s) {
        out->scales[s] = odd(bits(block.scales[s / 2], 4 * (s % 2), 15));
      }
      for (std::size_t v = 0; v < 32; ++v) {
        const unsigned q = block.q[v];
        const Word levels = levels_2bit(kGrid2Bit512.codes[q & 511]);
        store(with_signs(levels, IqDecoders<L>::signs_of(q >> 9)), v, out);
      }
    }
  }
  static void iq2_s(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockIQ2_S), ++out) {
      BlockIQ2_S block;
      __builtin_memcpy(&block, row, sizeof block);
      begin(L::half(block.d_bits) * 0.125F, out);
      for (std::size_t s = 0; s < 16; ++s) {
        out->scales[s] = odd(bits(block.scales[s / 2], 4 * (s % 2), 15));
      }
      for (std::size_t v = 0; v < 32; ++v) {
        const unsigned at = block.grid[v] | bits(block.high[v / 4], 2 * (v % 4), 3) << 8;
        store(with_signs(levels_2bit(kGrid2Bit1024.codes[at]), block.signs[v]), v, out);
      }
    }
  }

  // 4, 12 and so on to 52; the last one is 62, not 60.
  static Word levels_3bit(Word digits) {
    const Word last = digits & digits >> 1 & digits >> 2 & kOnes;
    return 4 * kOnes + 8 * digits + 2 * last;
  }
  static void iq3_xxs(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockIQ3_XXS), ++out) {
      BlockIQ3_XXS block;
      __builtin_memcpy(&block, row, sizeof block);
      begin(L::half(block.d_bits) * 0.25F, out);
      for (std::size_t s = 0; s < 8; ++s) {
        const std::uint32_t word = IqDecoders<L>::word_of(block.signs[s]);
        odd_of_two(word >> 28, out->scales + 2 * s);
        for (std::size_t l = 0; l < 4; ++l) {
          const U8* two = block.grid + 8 * s + 2 * l;
          const Word digits = four_digits(kGrid3Bit256.codes[two[0]]) |
                              four_digits(kGrid3Bit256.codes[two[1]]) << 32;
          const unsigned signs = IqDecoders<L>::signs_of(word >> 7 * l & 127);
          store(with_signs(levels_3bit(digits), signs), 4 * s + l, out);
        }
      }
    }
  }
  static void iq3_s(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockIQ3_S), ++out) {
      BlockIQ3_S block;
      __builtin_memcpy(&block, row, sizeof block);
      begin(L::half(block.d_bits), out);
      for (std::size_t s = 0; s < 8; ++s) {
        odd_of_two(bits(block.scales[s / 2], 4 * (s % 2), 15), out->scales + 2 * s);
        for (std::size_t l = 0; l < 4; ++l) {
          const U8* two = block.grid + 8 * s + 2 * l;
          const unsigned high = static_cast<unsigned>(block.high[s]) >> 2 * l;
          const Word digits = four_digits(kGrid3Bit512.codes[two[0] | (high & 1) << 8]) |
                              four_digits(kGrid3Bit512.codes[two[1] | (high & 2) << 7]) << 32;
          store(with_signs(kOnes + 2 * digits, block.signs[4 * s + l]), 4 * s + l, out);
        }
      }
    }
  }

  // 8*(digit - 1) + 1, or - 1 where the vector is moved down.
  static Word levels_1bit(unsigned at, bool down) {
    // 128 more than the code, so that no byte carries into the next; then that is taken away.
    const Word base = (down ? 0x77 : 0x79) * kOnes;
    return (8 * eight_digits(kGrid1Bit2048.codes[at]) + base) ^ 0x80 * kOnes;
  }
  static void iq1_s(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockIQ1_S), ++out) {
      BlockIQ1_S block;
      __builtin_memcpy(&block, row, sizeof block);
      begin(L::half(block.d_bits) * 0.125F, out);
      for (std::size_t s = 0; s < 8; ++s) {
        const unsigned high = block.high[s];
        odd_of_two(high >> 12 & 7, out->scales + 2 * s);
        for (std::size_t l = 0; l < 4; ++l) {
          const unsigned at = block.grid[4 * s + l] | (high >> 3 * l & 7) << 8;
          store(levels_1bit(at, (high >> 15) != 0), 4 * s + l, out);
        }
      }
    }
  }
  static void iq1_m(const U8* row, std::size_t blocks, WideBlock256* out) {
    for (std::size_t b = 0; b < blocks; ++b, row += sizeof(BlockIQ1_M), ++out) {
      BlockIQ1_M block;
      __builtin_memcpy(&block, row, sizeof block);
      unsigned d_bits = 0;
      for (int i = 0; i < 4; ++i) d_bits |= (block.scales[i] >> 12 & 15U) << 4 * i;
      begin(L::half(static_cast<std::uint16_t>(d_bits)) * 0.125F, out);
      for (std::size_t s = 0; s < 16; ++s) {
        out->scales[s] = odd(bits(block.scales[s / 4], 3 * (s % 4), 7));
      }
      for (std::size_t v = 0; v < 32; ++v) {
        const unsigned high = bits(block.high[v / 2], 4 * (v % 2), 15);
        store(levels_1bit(block.grid[v] | (high & 7) << 8, (high & 8) != 0), v, out);
      }
    }
  }
};

}  // namespace qbuild::kernels
