#pragma once
// AVX-512 in terms of AVX2, so that its kernels can be run and compared on any machine: SIMDe's
// functions under Intel's names, and what its version in Debian 12 (0.7.4) lacks or has wrong.
// Included before everything else of a kernel's file.

#include <cstdint>
#include <cstring>

#define SIMDE_ENABLE_NATIVE_ALIASES
#define SIMDE_NO_NATIVE_AVX512
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>
#pragma GCC diagnostic pop

namespace qbuild::kernels::by_simde {

template <typename To, typename From>
To as(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}
struct Floats {
  __m256 half[2];
};
struct Ints {
  __m256i half[2];
};

inline simde__m512 cvtph_ps(__m256i halves) {
  return as<simde__m512>(Floats{{_mm256_cvtph_ps(_mm256_castsi256_si128(halves)),
                                 _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1))}});
}
inline __m256i cvtps_ph(simde__m512 values) {
  const auto [half] = as<Floats>(values);
  return _mm256_set_m128i(_mm256_cvtps_ph(half[1], _MM_FROUND_TO_NEAREST_INT),
                          _mm256_cvtps_ph(half[0], _MM_FROUND_TO_NEAREST_INT));
}
inline simde__m512i srai_epi32(simde__m512i values, int by) {
  const auto [half] = as<Ints>(values);
  return as<simde__m512i>(Ints{{_mm256_srai_epi32(half[0], by), _mm256_srai_epi32(half[1], by)}});
}
inline simde__m512 cvtepi32_ps(simde__m512i values) {
  const auto [half] = as<Ints>(values);
  return as<simde__m512>(Floats{{_mm256_cvtepi32_ps(half[0]), _mm256_cvtepi32_ps(half[1])}});
}
inline __m256 extractf32x8_ps(simde__m512 values, int which) {
  return as<Floats>(values).half[which];
}
inline __m128i cvtepi32_epi8(simde__m512i values) {
  struct Wide {
    std::int32_t lane[16];
  };
  struct Narrow {
    std::int8_t lane[16];
  };
  const auto wide = as<Wide>(values);
  Narrow narrow{};
  for (int i = 0; i < 16; ++i) narrow.lane[i] = static_cast<std::int8_t>(wide.lane[i]);
  return as<__m128i>(narrow);
}

}  // namespace qbuild::kernels::by_simde

#undef _mm512_cvtph_ps
#undef _mm512_cvtps_ph
#undef _mm512_srai_epi32
#undef _mm512_cvtepi32_ps
#undef _mm512_extractf32x8_ps
#undef _mm512_cvtepi32_epi8
#undef _mm512_madd_epi16
#define _mm512_cvtph_ps(a) qbuild::kernels::by_simde::cvtph_ps(a)
#define _mm512_cvtps_ph(a, rounding) qbuild::kernels::by_simde::cvtps_ph(a)
#define _mm512_srai_epi32(a, by) qbuild::kernels::by_simde::srai_epi32(a, by)
#define _mm512_cvtepi32_ps(a) qbuild::kernels::by_simde::cvtepi32_ps(a)
#define _mm512_extractf32x8_ps(a, which) qbuild::kernels::by_simde::extractf32x8_ps(a, which)
#define _mm512_cvtepi32_epi8(a) qbuild::kernels::by_simde::cvtepi32_epi8(a)
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)
