#include "base/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace qbuild {
namespace {

std::uint32_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}
float from_bits(std::uint32_t value) {
  return std::bit_cast<float>(value);
}
float next_up(float value) {
  return std::nextafter(value, std::numeric_limits<float>::infinity());
}
float next_down(float value) {
  return std::nextafter(value, 0.0F);
}

// A NaN comes back quiet; everything else comes back as it was.
std::uint16_t expected_half(std::uint32_t half) {
  const bool nan = (half & 0x7c00U) == 0x7c00U && (half & 0x3ffU) != 0;
  return static_cast<std::uint16_t>(nan ? half | 0x200U : half);
}

TEST(Half, EveryHalfSurvivesTheWayThroughFloat) {
  for (std::uint32_t half = 0; half <= 0xffffU; ++half) {
    const auto narrow = static_cast<std::uint16_t>(half);
    ASSERT_EQ(f32_to_f16(f16_to_f32(narrow)), expected_half(half)) << half;
  }
}

TEST(Half, EveryHalfHasTheValueOfItsDefinition) {
  for (std::uint32_t half = 0; half < 0x7c00U; ++half) {
    const int exponent = static_cast<int>(half >> 10U);
    const int mantissa = static_cast<int>(half & 0x3ffU);
    const float value = exponent == 0
                            ? std::ldexp(static_cast<float>(mantissa), -24)
                            : std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
    ASSERT_EQ(f16_to_f32(static_cast<std::uint16_t>(half)), value) << half;
    ASSERT_EQ(bits(f16_to_f32(static_cast<std::uint16_t>(half | 0x8000U))), bits(-value)) << half;
  }
}

// Between two neighbours the middle goes to the even one, and one step beside it to the nearer one:
// all 63,488 middles, denormals and the border to infinity with them.
TEST(Half, RoundsEveryMiddleToEvenAndItsSidesToTheNearest) {
  for (std::uint32_t half = 0; half < 0x7c00U; ++half) {
    const double low = f16_to_f32(static_cast<std::uint16_t>(half));
    const double high =
        half == 0x7bffU ? 65536.0 : f16_to_f32(static_cast<std::uint16_t>(half + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    const std::uint32_t even = (half & 1U) == 0 ? half : half + 1;
    ASSERT_EQ(f32_to_f16(middle), even) << half;
    ASSERT_EQ(f32_to_f16(next_up(middle)), half + 1) << half;
    ASSERT_EQ(f32_to_f16(next_down(middle)), half) << half;
    ASSERT_EQ(f32_to_f16(-middle), even | 0x8000U) << half;
  }
}

TEST(Half, KeepsSpecialValues) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(f32_to_f16(0.0F), 0x0000);
  EXPECT_EQ(f32_to_f16(-0.0F), 0x8000);
  EXPECT_EQ(f32_to_f16(infinity), 0x7c00);
  EXPECT_EQ(f32_to_f16(-infinity), 0xfc00);
  EXPECT_EQ(f32_to_f16(65519.996F), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0F), 0x7c00);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::max()), 0x7c00);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::denorm_min()), 0x0000);
  EXPECT_EQ(bits(f16_to_f32(0x7c00)), bits(infinity));
}

TEST(Half, NaNStaysQuietAndKeepsItsSignAndUpperPayload) {
  EXPECT_EQ(f32_to_f16(from_bits(0x7f80'0001)), 0x7e00);  // signalling, payload only in lost bits
  EXPECT_EQ(f32_to_f16(from_bits(0xffc0'2000)), 0xfe01);
  EXPECT_EQ(bits(f16_to_f32(0x7c01)), 0x7fc0'2000U);
}

TEST(Half, EveryBfloatSurvivesTheWayThroughFloat) {
  for (std::uint32_t narrow = 0; narrow <= 0xffffU; ++narrow) {
    const bool nan = (narrow & 0x7f80U) == 0x7f80U && (narrow & 0x7fU) != 0;
    const std::uint32_t expected = nan ? narrow | 0x40U : narrow;
    ASSERT_EQ(f32_to_bf16(bf16_to_f32(static_cast<std::uint16_t>(narrow))), expected) << narrow;
  }
}

TEST(Half, RoundsEveryMiddleOfBfloatsToEven) {
  for (std::uint32_t narrow = 0; narrow < 0x7f80U; ++narrow) {
    const std::uint32_t middle = (narrow << 16U) | 0x8000U;
    const std::uint32_t even = (narrow & 1U) == 0 ? narrow : narrow + 1;
    ASSERT_EQ(f32_to_bf16(from_bits(middle)), even) << narrow;
    ASSERT_EQ(f32_to_bf16(from_bits(middle + 1)), narrow + 1) << narrow;
    ASSERT_EQ(f32_to_bf16(from_bits(middle - 1)), narrow) << narrow;
  }
}

TEST(Half, BfloatOfNaNIsNeverInfinity) {
  EXPECT_EQ(f32_to_bf16(from_bits(0x7f80'0001)), 0x7fc0);
  EXPECT_EQ(f32_to_bf16(from_bits(0xffff'ffff)), 0xffff);
}

}  // namespace
}  // namespace qbuild
