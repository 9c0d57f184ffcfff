#pragma once
// Sixteen lanes as two AVX2 registers. Only for files that are compiled for AVX2, FMA and F16C,
// which call no inline function of the standard library: its copy would be AVX2 code for everybody.
// What each operation means stands in kernels/math_lanes_scalar.h.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace qbuild::kernels {

struct LanesAvx2 {
  static constexpr std::size_t kOutputs =
      6;  // f32 outputs per tile: twelve accumulators of sixteen registers
  static constexpr std::size_t kIntegerOutputs = 2;

  struct F {
    __m256 lo, hi;
  };
  struct I {
    __m256i lo, hi;
  };
  // 64 bytes: four for each lane. 32 int16: two for each lane.
  struct B {
    __m256i lo, hi;
  };
  struct S {
    __m256i lo, hi;
  };

  static F load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
  static void store(float* to, F a) {
    _mm256_storeu_ps(to, a.lo);
    _mm256_storeu_ps(to + 8, a.hi);
  }
  static F set(float x) {
    const __m256 v = _mm256_set1_ps(x);
    return {v, v};
  }
  static F add(F a, F b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
  static F sub(F a, F b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
  static F mul(F a, F b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
  static F div(F a, F b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
  static F fma(F a, F b, F c) {
    return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
  }
  static F max(F a, F b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
  static F abs(F a) {
    const __m256 mask = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    return {_mm256_and_ps(a.lo, mask), _mm256_and_ps(a.hi, mask)};
  }
  static F select_less(F a, F b, F yes, F no) {
    return {_mm256_blendv_ps(no.lo, yes.lo, _mm256_cmp_ps(a.lo, b.lo, _CMP_LT_OQ)),
            _mm256_blendv_ps(no.hi, yes.hi, _mm256_cmp_ps(a.hi, b.hi, _CMP_LT_OQ))};
  }
  static I bits(F a) { return {_mm256_castps_si256(a.lo), _mm256_castps_si256(a.hi)}; }
  static F from_bits(I a) { return {_mm256_castsi256_ps(a.lo), _mm256_castsi256_ps(a.hi)}; }
  static I add_int(I a, I b) {
    return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)};
  }
  static I sub_int(I a, I b) {
    return {_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi)};
  }
  static I set_int(std::int32_t x) {
    const __m256i v = _mm256_set1_epi32(x);
    return {v, v};
  }
  template <int kBits>
  static I shift_left(I a) {
    return {_mm256_slli_epi32(a.lo, kBits), _mm256_slli_epi32(a.hi, kBits)};
  }
  static I shift_right_one(I a) { return {_mm256_srai_epi32(a.lo, 1), _mm256_srai_epi32(a.hi, 1)}; }
  static void store_int(std::int32_t* to, I a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), a.lo);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8), a.hi);
  }
  static F to_float(I a) { return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)}; }
  static F round_f16(F a) {
    return {_mm256_cvtph_ps(_mm256_cvtps_ph(a.lo, _MM_FROUND_TO_NEAREST_INT)),
            _mm256_cvtph_ps(_mm256_cvtps_ph(a.hi, _MM_FROUND_TO_NEAREST_INT))};
  }
  static F round_bf16(F a) { return {round_bf16(a.lo), round_bf16(a.hi)}; }
  static __m256 round_bf16(__m256 a) {
    const __m256i x = _mm256_castps_si256(a);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(x, 16), _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(x, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(x, _mm256_set1_epi32(0x00400000));
    const __m256 is_nan = _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
    const __m256i chosen = _mm256_castps_si256(
        _mm256_blendv_ps(_mm256_castsi256_ps(up), _mm256_castsi256_ps(quiet), is_nan));
    return _mm256_castsi256_ps(
        _mm256_and_si256(chosen, _mm256_set1_epi32(static_cast<int>(0xffff0000U))));
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
    const __m256 eight = _mm256_add_ps(a.lo, a.hi);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float fold_max(F a) {
    const __m256 eight = _mm256_max_ps(a.lo, a.hi);
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }

  // Integer products.
  static B load_bytes(const std::int8_t* from) {
    const auto* p = reinterpret_cast<const __m256i*>(from);
    return {_mm256_loadu_si256(p), _mm256_loadu_si256(p + 1)};
  }
  // The same four bytes in every lane.
  static B set_bytes(std::int32_t four) {
    const __m256i v = _mm256_set1_epi32(four);
    return {v, v};
  }
  static B abs_bytes(B a) { return {_mm256_abs_epi8(a.lo), _mm256_abs_epi8(a.hi)}; }
  // x with the sign of w (the product with abs_bytes(w) is then w*x).
  static B sign_bytes(B x, B w) {
    return {_mm256_sign_epi8(x.lo, w.lo), _mm256_sign_epi8(x.hi, w.hi)};
  }
  // Unsigned times signed, neighbours added. Saturates: callers keep sums within int16.
  static S mul_bytes(B u, B s) {
    return {_mm256_maddubs_epi16(u.lo, s.lo), _mm256_maddubs_epi16(u.hi, s.hi)};
  }
  static S add_short(S a, S b) {
    return {_mm256_add_epi16(a.lo, b.lo), _mm256_add_epi16(a.hi, b.hi)};
  }
  static S set_short(std::int16_t x) {
    const __m256i v = _mm256_set1_epi16(x);
    return {v, v};
  }
  // The same two int16 in every lane.
  static S set_short_pair(std::int32_t two) {
    const __m256i v = _mm256_set1_epi32(two);
    return {v, v};
  }
  static S load_short(const std::int16_t* from) {
    const auto* p = reinterpret_cast<const __m256i*>(from);
    return {_mm256_loadu_si256(p), _mm256_loadu_si256(p + 1)};
  }
  // Products of int16, neighbours added into the lane.
  static I mul_short(S a, S b) {
    return {_mm256_madd_epi16(a.lo, b.lo), _mm256_madd_epi16(a.hi, b.hi)};
  }
  // 32 bytes from each.
  static B load_two(const std::int8_t* a, const std::int8_t* b) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b))};
  }
  static B sub_bytes(B a, B b) {
    return {_mm256_sub_epi8(a.lo, b.lo), _mm256_sub_epi8(a.hi, b.hi)};
  }
  // Each of four int16 for eight neighbours.
  static S spread_four(const std::int16_t* from) {
    return {_mm256_set_m128i(_mm_set1_epi16(from[1]), _mm_set1_epi16(from[0])),
            _mm256_set_m128i(_mm_set1_epi16(from[3]), _mm_set1_epi16(from[2]))};
  }
  static F spread_two(float a, float b) { return {_mm256_set1_ps(a), _mm256_set1_ps(b)}; }
  static I load_int(const std::int32_t* from) {
    const auto* p = reinterpret_cast<const __m256i*>(from);
    return {_mm256_loadu_si256(p), _mm256_loadu_si256(p + 1)};
  }
};

}  // namespace qbuild::kernels
