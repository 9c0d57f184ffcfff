#pragma once
// IEEE binary16 and bfloat16, converted by their bits: the scalar definition that vector code must
// equal. Round to nearest, ties to even; NaN stays NaN (quiet, upper payload bits kept); infinities
// and denormals are exact. Pure; any thread.

#include <cstdint>

namespace qbuild {

[[nodiscard]] float f16_to_f32(std::uint16_t bits);
[[nodiscard]] std::uint16_t f32_to_f16(float value);

[[nodiscard]] float bf16_to_f32(std::uint16_t bits);
[[nodiscard]] std::uint16_t f32_to_bf16(float value);

}  // namespace qbuild
