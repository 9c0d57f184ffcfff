#include "kernels/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/kernels/compute_data.h"

namespace qbuild::kernels {
namespace {

TEST(Exponential, IsWithinOneUlpOfHighPrecision) {
  struct Golden {
    float x, y;
  };
  constexpr Golden kGolden[] = {{0x1.0p+0F, 0x1.5bf0a8p+1F},     {-0x1.0p+0F, 0x1.78b564p-2F},
                                {0x1.0p-1F, 0x1.a61298p+0F},     {0x1.4p+3F, 0x1.5829dcp+14F},
                                {-0x1.44p+4F, 0x1.b93de2p-30F},  {0x1.42p+6F, 0x1.197dfcp+116F},
                                {-0x1.42p+6F, 0x1.d1a206p-117F}, {0x1.62p+6F, 0x1.99b988p+127F},
                                {-0x1.5dp+6F, 0x1.172478p-126F}, {0x1.0c6f7ap-20F, 0x1.00001p+0F}};
  for (const Golden& golden : kGolden) {
    float y = golden.x;
    exponential(Backend::kScalar, std::span(&y, 1));
    EXPECT_LE(std::abs(y - golden.y), std::nextafter(golden.y, INFINITY) - golden.y) << golden.x;
  }
}

TEST(Exponential, EndsInZeroInfinityAndNotANumber) {
  std::vector<float> x = {0.0F,   -0.0F,     -88.0F,
                          -1e30F, -INFINITY, 89.0F,
                          1e30F,  INFINITY,  std::numeric_limits<float>::quiet_NaN()};
  exponential(best_backend(), x);
  EXPECT_EQ(x[0], 1.0F);
  EXPECT_EQ(x[1], 1.0F);
  for (std::size_t i = 2; i < 5; ++i) EXPECT_EQ(x[i], 0.0F);
  for (std::size_t i = 5; i < 8; ++i) EXPECT_EQ(x[i], INFINITY);
  EXPECT_TRUE(std::isnan(x[8]));
}

TEST(SiluMultiply, IsTheGateTimesItsSigmoidTimesUp) {
  std::vector<float> gate = {0.0F, 1.0F, -1.0F, 20.0F, -200.0F};
  const std::vector<float> up = {3.0F, 2.0F, 2.0F, 1.0F, 1.0F};
  silu_multiply(best_backend(), up, gate);
  EXPECT_EQ(gate[0], 0.0F);
  EXPECT_FLOAT_EQ(gate[1], 2.0F * 0.7310585786F);
  EXPECT_FLOAT_EQ(gate[2], -2.0F * 0.2689414214F);
  EXPECT_FLOAT_EQ(gate[3], 20.0F);
  EXPECT_EQ(gate[4], 0.0F);
}

TEST(Add, AddsElementByElement) {
  std::vector<float> x = bell_values(21, 1);
  const std::vector<float> before = x;
  const std::vector<float> y = bell_values(21, 2);
  add(best_backend(), y, x);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i], before[i] + y[i]);
}

}  // namespace
}  // namespace qbuild::kernels
