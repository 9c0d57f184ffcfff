#pragma once
// The codecs' lanes as one AVX-512 register. kernels/codec_lanes_scalar.h says what the operations
// mean, kernels/math_lanes_avx512.h where this file may be used.

#include <cstddef>
#include <cstdint>

#include "kernels/math_lanes_avx512.h"
// After the header above, which silences a warning of GCC's own while it includes <immintrin.h>.
#include "kernels/codec_rows_avx.h"

namespace qbuild::kernels {

struct CodecLanesAvx512 : LanesAvx512, RowsAvx<CodecLanesAvx512> {
  static F min(F a, F b) { return {_mm512_min_ps(a.v, b.v)}; }
  static F sqrt(F a) { return {_mm512_sqrt_ps(a.v)}; }
  static I and_int(I a, I b) { return {_mm512_and_si512(a.v, b.v)}; }
  static I max_int(I a, I b) { return {_mm512_max_epi32(a.v, b.v)}; }
  template <int kBits>
  static I shift_right(I a) {
    return {_mm512_srli_epi32(a.v, kBits)};
  }
  static F look_up_8(const float* table, I index) {
    const __m256 eight = _mm256_loadu_ps(table);
    return {_mm512_permutexvar_ps(index.v, _mm512_broadcast_f32x8(eight))};
  }
  static F look_up_16(const float* table, I index) {
    return {_mm512_permutexvar_ps(index.v, _mm512_loadu_ps(table))};
  }
  template <int kBit>
  static std::uint32_t bit_of_lanes(I a) {
    return _mm512_movepi32_mask(shift_left<31 - kBit>(a).v);
  }
  static void store_bytes(std::uint8_t* to, I a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(a.v));
  }
  static F load_f16(const std::uint8_t* from) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))};
  }
  static void store_f16(std::uint8_t* to, F a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT));
  }
  static void extremes_of_rows(const float* from, F* lowest, F* highest) {
    __m256 low[2];
    __m256 high[2];
    for (std::size_t half = 0; half < 2; ++half) {
      extremes_of_eight(from + 256 * half, low + half, high + half);
    }
    *lowest = {_mm512_insertf32x8(_mm512_castps256_ps512(low[0]), low[1], 1)};
    *highest = {_mm512_insertf32x8(_mm512_castps256_ps512(high[0]), high[1], 1)};
  }
  static void transpose(const float* from, std::size_t stride, F* columns) {
    for (std::size_t half = 0; half < 16; half += 8) {
      __m256 low[8];
      __m256 high[8];
      columns_of_eight(from + half, stride, low);
      columns_of_eight(from + half + 8 * stride, stride, high);
      for (std::size_t j = 0; j < 8; ++j) {
        columns[half + j] = F{_mm512_insertf32x8(_mm512_castps256_ps512(low[j]), high[j], 1)};
      }
    }
  }
};

}  // namespace qbuild::kernels
