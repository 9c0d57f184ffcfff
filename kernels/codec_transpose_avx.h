#pragma once
// Rows to columns in AVX registers. L only keeps apart the copies that are compiled for different
// instruction sets.

#include <immintrin.h>

#include <cstddef>

namespace qbuild::kernels {

template <class L>
struct TransposeAvx {
  // columns[j], lane i = from[i * stride + j], for i and j below 8.
  static void eight(const float* from, std::size_t stride, __m256* columns) {
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
};

}  // namespace qbuild::kernels
