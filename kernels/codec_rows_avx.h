#pragma once
// What the AVX lanes do with whole rows of values: to columns, to their extremes, to codes.
// kernels/codec_lanes_scalar.h says what the operations mean. The codecs' lanes inherit them; L
// only keeps apart the copies that are compiled for different instruction sets.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/halves.h"

namespace qbuild::kernels {

template <class L>
struct RowsAvx {
  // columns[j], lane i = from[i * stride + j], for i and j below 8.
  static void columns_of_eight(const float* from, std::size_t stride, __m256* columns) {
    __m256 pairs[8];
    for (std::size_t i = 0; i < 4; ++i) {
      const __m256 a = _mm256_loadu_ps(from + 2 * i * stride);
      const __m256 b = _mm256_loadu_ps(from + (2 * i + 1) * stride);
      pairs[2 * i] = _mm256_unpacklo_ps(a, b);
      pairs[2 * i + 1] = _mm256_unpackhi_ps(a, b);
    }
    __m256 fours[8];
    for (std::size_t i = 0; i < 8; i += 4) {
      fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
      fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
      fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
      fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      columns[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
      columns[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
  }

  // Lane i: the extremes of the 32 floats from + 32*i, for i below 8.
  static void extremes_of_eight(const float* from, __m256* lowest, __m256* highest) {
    __m256 low[8];
    __m256 high[8];
    for (std::size_t i = 0; i < 8; ++i) {
      const __m256 a = _mm256_loadu_ps(from + 32 * i);
      const __m256 b = _mm256_loadu_ps(from + 32 * i + 8);
      const __m256 c = _mm256_loadu_ps(from + 32 * i + 16);
      const __m256 d = _mm256_loadu_ps(from + 32 * i + 24);
      low[i] = _mm256_min_ps(_mm256_min_ps(a, b), _mm256_min_ps(c, d));
      high[i] = _mm256_max_ps(_mm256_max_ps(a, b), _mm256_max_ps(c, d));
    }
    *lowest = fold(low, [](__m256 a, __m256 b) { return _mm256_min_ps(a, b); });
    *highest = fold(high, [](__m256 a, __m256 b) { return _mm256_max_ps(a, b); });
  }

  template <int kLowest, int kHighest>
  static void round_32(const float* x, const Halves& inverse, float offset, std::uint8_t* codes) {
    const __m256 factors[2] = {_mm256_set1_ps(inverse.first), _mm256_set1_ps(inverse.second)};
    const __m256 added = _mm256_set1_ps(offset);
    __m256i eight[4];
    for (std::size_t i = 0; i < 4; ++i) {
      eight[i] =
          _mm256_cvtps_epi32(_mm256_fmadd_ps(_mm256_loadu_ps(x + 8 * i), factors[i / 2], added));
    }
    const __m256i first = _mm256_packs_epi32(eight[0], eight[1]);
    const __m256i second = _mm256_packs_epi32(eight[2], eight[3]);
    __m256i bytes;
    if constexpr (kLowest < 0) {
      bytes = _mm256_max_epi8(_mm256_packs_epi16(first, second), _mm256_set1_epi8(kLowest));
      static_assert(kHighest == 127);
    } else {
      bytes = _mm256_min_epu8(_mm256_packus_epi16(first, second), _mm256_set1_epi8(kHighest));
      static_assert(kLowest == 0);
    }
    // Packing took four of each eight in turn.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes),
                        _mm256_permutevar8x32_epi32(bytes, order));
  }
  static void store_nibbles(std::uint8_t* to, const std::uint8_t* codes) {
    const auto* from = reinterpret_cast<const __m128i*>(codes);
    const __m128i low = _mm_and_si128(_mm_loadu_si128(from), _mm_set1_epi8(15));
    const __m128i high =
        _mm_slli_epi16(_mm_and_si128(_mm_loadu_si128(from + 1), _mm_set1_epi8(15)), 4);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_or_si128(low, high));
  }
  static std::uint32_t fifth_bits(const std::uint8_t* codes) {
    const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_slli_epi16(all, 3)));
  }

 private:
  // Lane i: what `of` makes of the lanes of rows[i], for i below 8. Rows are zipped two by two, so
  // that each step serves all of them.
  template <class Of>
  static __m256 fold(const __m256* rows, const Of& of) {
    __m256 twos[4];  // lanes of two rows in turn, four of each
    for (std::size_t i = 0; i < 4; ++i) {
      twos[i] = of(_mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]),
                   _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]));
    }
    __m256 fours[2];  // of four rows in turn, two of each
    for (std::size_t i = 0; i < 2; ++i) {
      fours[i] = of(_mm256_shuffle_ps(twos[2 * i], twos[2 * i + 1], 0x44),
                    _mm256_shuffle_ps(twos[2 * i], twos[2 * i + 1], 0xee));
    }
    return of(_mm256_permute2f128_ps(fours[0], fours[1], 0x20),
              _mm256_permute2f128_ps(fours[0], fours[1], 0x31));
  }
};

}  // namespace qbuild::kernels
