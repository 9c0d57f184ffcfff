#pragma once
// The codecs' lanes as two AVX2 registers. kernels/codec_lanes_scalar.h says what the operations
// mean, kernels/math_lanes_avx2.h where this file may be used.

#include <cstddef>
#include <cstdint>

#include "kernels/codec_rows_avx.h"
#include "kernels/math_lanes_avx2.h"

namespace qbuild::kernels {

struct CodecLanesAvx2 : LanesAvx2, RowsAvx<CodecLanesAvx2> {
  static F min(F a, F b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
  static F sqrt(F a) { return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
  static I and_int(I a, I b) {
    return {_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi)};
  }
  static I max_int(I a, I b) {
    return {_mm256_max_epi32(a.lo, b.lo), _mm256_max_epi32(a.hi, b.hi)};
  }
  template <int kBits>
  static I shift_right(I a) {
    return {_mm256_srli_epi32(a.lo, kBits), _mm256_srli_epi32(a.hi, kBits)};
  }
  static F look_up_8(const float* table, I index) {
    const __m256 eight = _mm256_loadu_ps(table);
    return {_mm256_permutevar8x32_ps(eight, index.lo), _mm256_permutevar8x32_ps(eight, index.hi)};
  }
  static F look_up_16(const float* table, I index) {
    const F low = look_up_8(table, index);
    const F high = look_up_8(table + 8, index);
    const I fourth = shift_left<28>(index);  // the bit that chooses, as the sign
    return {_mm256_blendv_ps(low.lo, high.lo, _mm256_castsi256_ps(fourth.lo)),
            _mm256_blendv_ps(low.hi, high.hi, _mm256_castsi256_ps(fourth.hi))};
  }
  template <int kBit>
  static std::uint32_t bit_of_lanes(I a) {
    const I top = shift_left<31 - kBit>(a);
    const int low = _mm256_movemask_ps(_mm256_castsi256_ps(top.lo));
    const int high = _mm256_movemask_ps(_mm256_castsi256_ps(top.hi));
    return static_cast<std::uint32_t>(low | high << 8);
  }
  static void store_bytes(std::uint8_t* to, I a) {
    const I low = and_int(a, set_int(255));
    const __m256i shorts = _mm256_packus_epi32(low.lo, low.hi);  // per half: four of lo, four of hi
    const __m256i ordered = _mm256_permute4x64_epi64(shorts, 0xd8);
    const __m128i bytes =
        _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  }
  static F load_f16(const std::uint8_t* from) {
    const auto* p = reinterpret_cast<const __m128i*>(from);
    return {_mm256_cvtph_ps(_mm_loadu_si128(p)), _mm256_cvtph_ps(_mm_loadu_si128(p + 1))};
  }
  static void store_f16(std::uint8_t* to, F a) {
    auto* p = reinterpret_cast<__m128i*>(to);
    _mm_storeu_si128(p, _mm256_cvtps_ph(a.lo, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128(p + 1, _mm256_cvtps_ph(a.hi, _MM_FROUND_TO_NEAREST_INT));
  }
  static void extremes_of_rows(const float* from, F* lowest, F* highest) {
    extremes_of_eight(from, &lowest->lo, &highest->lo);
    extremes_of_eight(from + 256, &lowest->hi, &highest->hi);
  }
  static void transpose(const float* from, std::size_t stride, F* columns) {
    for (std::size_t half = 0; half < 16; half += 8) {
      __m256 low[8];
      __m256 high[8];
      columns_of_eight(from + half, stride, low);
      columns_of_eight(from + half + 8 * stride, stride, high);
      for (std::size_t j = 0; j < 8; ++j) columns[half + j] = F{low[j], high[j]};
    }
  }
};

}  // namespace qbuild::kernels
