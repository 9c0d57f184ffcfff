#include "base/half.h"

#include <bit>

namespace qbuild {
namespace {

constexpr std::uint32_t kF32Infinity = 0x7f80'0000;
constexpr std::uint32_t kF32QuietBit = 0x0040'0000;
constexpr std::uint32_t kF32MantissaMask = 0x007f'ffff;
constexpr std::uint32_t kF16Infinity = 0x7c00;
constexpr std::uint32_t kF16QuietBit = 0x0200;
constexpr std::uint32_t kMantissaShift = 13;  // 23 mantissa bits against 10
constexpr std::uint32_t kExponentBias = 127 - 15;

// value / 2^shift, to nearest, ties to even. shift is 1 to 31.
std::uint32_t shift_to_nearest_even(std::uint32_t value, std::uint32_t shift) {
  const std::uint32_t kept = value >> shift;
  const std::uint32_t rest = value & ((1U << shift) - 1);
  const std::uint32_t half = 1U << (shift - 1);
  const bool up = rest > half || (rest == half && (kept & 1U) != 0);
  return kept + (up ? 1U : 0U);
}

}  // namespace

float f16_to_f32(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fU;
  const std::uint32_t mantissa = bits & 0x3ffU;
  if (exponent == 0x1f) {
    const std::uint32_t quiet = mantissa == 0 ? 0 : kF32QuietBit;
    return std::bit_cast<float>(sign | kF32Infinity | quiet | (mantissa << kMantissaShift));
  }
  if (exponent != 0) {
    return std::bit_cast<float>(sign | ((exponent + kExponentBias) << 23) |
                                (mantissa << kMantissaShift));
  }
  // Zero or a denormal: mantissa * 2^-24, which a float holds exactly.
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
}

std::uint16_t f32_to_f16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7fff'ffffU;
  if (magnitude > kF32Infinity) {
    const std::uint32_t payload = (magnitude & kF32MantissaMask) >> kMantissaShift;
    return static_cast<std::uint16_t>(sign | kF16Infinity | kF16QuietBit | payload);
  }
  constexpr std::uint32_t kSmallestOverflow = 0x477f'f000;  // 65520: half way beyond the largest
  if (magnitude >= kSmallestOverflow) return static_cast<std::uint16_t>(sign | kF16Infinity);
  constexpr std::uint32_t kSmallestNormal = 0x3880'0000;  // 2^-14
  if (magnitude >= kSmallestNormal) {
    // A carry out of the mantissa raises the exponent, as it should.
    const std::uint32_t rebased = magnitude - (kExponentBias << 23);
    return static_cast<std::uint16_t>(sign | shift_to_nearest_even(rebased, kMantissaShift));
  }
  constexpr std::uint32_t kAllLost = 0x3300'0000;  // 2^-25: a tie between zero and the smallest
  if (magnitude <= kAllLost) return static_cast<std::uint16_t>(sign);
  const std::uint32_t exponent = magnitude >> 23;  // 102 to 112
  const std::uint32_t mantissa = (magnitude & kF32MantissaMask) | 0x0080'0000U;
  return static_cast<std::uint16_t>(sign | shift_to_nearest_even(mantissa, 126 - exponent));
}

float bf16_to_f32(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t f32_to_bf16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fff'ffffU) > kF32Infinity) {
    return static_cast<std::uint16_t>((bits | kF32QuietBit) >> 16);
  }
  return static_cast<std::uint16_t>(shift_to_nearest_even(bits, 16));
}

}  // namespace qbuild
