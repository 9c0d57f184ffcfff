#pragma once
// Sixteen lanes as one AVX-512 register. Only for files that are compiled for AVX-512 F, BW, DQ and
// VL; the rule of kernels/math_lanes_avx2.h about the standard library holds here too. What each
// operation means stands in kernels/math_lanes_scalar.h.

// GCC 12 warns about the undefined registers in its own header (its bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <cstddef>
#include <cstdint>

namespace qbuild::kernels {

struct LanesAvx512 {
  static constexpr std::size_t kOutputs = 12;
  static constexpr std::size_t kIntegerOutputs = 4;

  struct F {
    __m512 v;
  };
  struct I {
    __m512i v;
  };
  struct B {
    __m512i v;
  };
  struct S {
    __m512i v;
  };

  static F load(const float* from) { return {_mm512_loadu_ps(from)}; }
  static void store(float* to, F a) { _mm512_storeu_ps(to, a.v); }
  static F set(float x) { return {_mm512_set1_ps(x)}; }
  static F add(F a, F b) { return {_mm512_add_ps(a.v, b.v)}; }
  static F sub(F a, F b) { return {_mm512_sub_ps(a.v, b.v)}; }
  static F mul(F a, F b) { return {_mm512_mul_ps(a.v, b.v)}; }
  static F div(F a, F b) { return {_mm512_div_ps(a.v, b.v)}; }
  static F fma(F a, F b, F c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  static F max(F a, F b) { return {_mm512_max_ps(a.v, b.v)}; }
  static F abs(F a) { return {_mm512_abs_ps(a.v)}; }
  static F select_less(F a, F b, F yes, F no) {
    return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), no.v, yes.v)};
  }
  static I bits(F a) { return {_mm512_castps_si512(a.v)}; }
  static F from_bits(I a) { return {_mm512_castsi512_ps(a.v)}; }
  static I add_int(I a, I b) { return {_mm512_add_epi32(a.v, b.v)}; }
  static I sub_int(I a, I b) { return {_mm512_sub_epi32(a.v, b.v)}; }
  static I set_int(std::int32_t x) { return {_mm512_set1_epi32(x)}; }
  template <int kBits>
  static I shift_left(I a) {
    return {_mm512_slli_epi32(a.v, kBits)};
  }
  static I shift_right_one(I a) { return {_mm512_srai_epi32(a.v, 1)}; }
  static void store_int(std::int32_t* to, I a) { _mm512_storeu_si512(to, a.v); }
  static F to_float(I a) { return {_mm512_cvtepi32_ps(a.v)}; }
  static F round_f16(F a) {
    return {_mm512_cvtph_ps(_mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT))};
  }
  static F round_bf16(F a) {
    const __m512i x = _mm512_castps_si512(a.v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(x, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(x, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_or_si512(x, _mm512_set1_epi32(0x00400000));
    const __mmask16 is_nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
    const __m512i chosen = _mm512_mask_blend_epi32(is_nan, up, quiet);
    return {_mm512_castsi512_ps(
        _mm512_and_si512(chosen, _mm512_set1_epi32(static_cast<int>(0xffff0000U))))};
  }
  static float half(std::uint16_t bits) { return _cvtsh_ss(bits); }
  static void look_up(const std::int8_t* levels, const std::uint8_t* packed, std::int8_t* out) {
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels));
    const __m128i from = _mm_loadu_si128(reinterpret_cast<const __m128i*>(packed));
    const __m128i mask = _mm_set1_epi8(15);
    const __m128i low = _mm_and_si128(from, mask);
    const __m128i high = _mm_and_si128(_mm_srli_epi16(from, 4), mask);
    auto* to = reinterpret_cast<__m128i*>(out);
    _mm_storeu_si128(to, _mm_shuffle_epi8(table, low));
    _mm_storeu_si128(to + 1, _mm_shuffle_epi8(table, high));
  }
  static float fold_add(F a) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float fold_max(F a) {
    const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }

  static B load_bytes(const std::int8_t* from) { return {_mm512_loadu_si512(from)}; }
  static B set_bytes(std::int32_t four) { return {_mm512_set1_epi32(four)}; }
  static B abs_bytes(B a) { return {_mm512_abs_epi8(a.v)}; }
  static B sign_bytes(B x, B w) {
    // Where w is 0 the other factor is 0 too, so keeping x there does no harm.
    return {_mm512_mask_sub_epi8(x.v, _mm512_movepi8_mask(w.v), _mm512_setzero_si512(), x.v)};
  }
  static S mul_bytes(B u, B s) { return {_mm512_maddubs_epi16(u.v, s.v)}; }
  static S add_short(S a, S b) { return {_mm512_add_epi16(a.v, b.v)}; }
  static S set_short(std::int16_t x) { return {_mm512_set1_epi16(x)}; }
  static S set_short_pair(std::int32_t two) { return {_mm512_set1_epi32(two)}; }
  static S load_short(const std::int16_t* from) { return {_mm512_loadu_si512(from)}; }
  static I mul_short(S a, S b) { return {_mm512_madd_epi16(a.v, b.v)}; }
  static B load_two(const std::int8_t* a, const std::int8_t* b) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
    return {_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1)};
  }
  static B sub_bytes(B a, B b) { return {_mm512_sub_epi8(a.v, b.v)}; }
  static S spread_four(const std::int16_t* from) {
    const __m256i low = _mm256_set_m128i(_mm_set1_epi16(from[1]), _mm_set1_epi16(from[0]));
    const __m256i high = _mm256_set_m128i(_mm_set1_epi16(from[3]), _mm_set1_epi16(from[2]));
    return {_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1)};
  }
  static F spread_two(float a, float b) {
    return {_mm512_insertf32x8(_mm512_set1_ps(a), _mm256_set1_ps(b), 1)};
  }
  static I load_int(const std::int32_t* from) { return {_mm512_loadu_si512(from)}; }
};

}  // namespace qbuild::kernels
