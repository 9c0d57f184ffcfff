#include "kernels/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/compute_data.h"

namespace qbuild::kernels {
namespace {

TEST(Rope, RotatesPairsByThePositionTimesTheirFrequency) {
  const RopeParameters parameters{.dimensions = 4, .theta = 100.0};
  const RopeTable table(parameters, 0, 8);
  std::vector<float> head = {1.0F, 2.0F, 3.0F, 4.0F, 9.0F};
  apply_rope(Backend::kScalar, table, RopeLayout::kHalfSplit, 3, 1, 5, head);
  // Pairs (0, 2) by the angle 3, (1, 3) by 3 / sqrt(100); the fifth value does not rotate.
  EXPECT_NEAR(head[0], std::cos(3.0) - 3 * std::sin(3.0), 1e-6);
  EXPECT_NEAR(head[2], 3 * std::cos(3.0) + std::sin(3.0), 1e-6);
  EXPECT_NEAR(head[1], 2 * std::cos(0.3) - 4 * std::sin(0.3), 1e-6);
  EXPECT_NEAR(head[3], 4 * std::cos(0.3) + 2 * std::sin(0.3), 1e-6);
  EXPECT_EQ(head[4], 9.0F);
}

TEST(Rope, OfInterleavedPairsGivesTheSameBitsAsOfHalfSplitOnes) {
  const RopeParameters parameters{.dimensions = 32};
  const RopeTable table(parameters, 100, 3);
  std::vector<float> split = bell_values(3 * 32, 1);
  std::vector<float> interleaved(split.size());
  for (std::size_t h = 0; h < 3; ++h) {
    for (std::size_t i = 0; i < 16; ++i) {
      interleaved[h * 32 + 2 * i] = split[h * 32 + i];
      interleaved[h * 32 + 2 * i + 1] = split[h * 32 + 16 + i];
    }
  }
  apply_rope(best_backend(), table, RopeLayout::kHalfSplit, 102, 3, 32, split);
  apply_rope(best_backend(), table, RopeLayout::kInterleaved, 102, 3, 32, interleaved);
  EXPECT_TRUE(same_bits(split, interleaved));
}

TEST(Rope, AtPositionZeroChangesNothing) {
  const RopeTable table({.dimensions = 6}, 0, 1);
  std::vector<float> head = bell_values(6, 1);
  const std::vector<float> before = head;
  apply_rope(best_backend(), table, RopeLayout::kHalfSplit, 0, 1, 6, head);
  EXPECT_EQ(head, before);
}

TEST(RopeScaling, LinearDividesEveryAngle) {
  const RopeTable plain({.dimensions = 8}, 0, 5);
  const RopeTable scaled({.dimensions = 8, .scaling = RopeScaling::kLinear, .factor = 4}, 0, 17);
  EXPECT_TRUE(same_bits(plain.sines(4), scaled.sines(16)));
}

TEST(RopeScaling, Llama3KeepsShortWavesAndDividesLongOnes) {
  // Llama 3.1: head of 128, base 500000, factor 8.
  const RopeParameters parameters{
      .dimensions = 128, .theta = 500000, .scaling = RopeScaling::kLlama3, .factor = 8};
  const std::vector<float> divisors = llama3_frequency_divisors(parameters);
  ASSERT_EQ(divisors.size(), 64U);
  EXPECT_EQ(divisors[0], 1.0F);
  EXPECT_EQ(divisors[28], 1.0F);  // wavelength 1956
  EXPECT_EQ(divisors[63], 8.0F);
  EXPECT_EQ(divisors[36], 8.0F);  // 10090: above 8192
  // Pair 32: wavelength 2 pi sqrt(500000) = 4442.88; s = (8192/4442.88 - 1)/3 = 0.281283
  EXPECT_NEAR(divisors[32], 1.0 / ((1 - 0.281283) / 8 + 0.281283), 1e-4);
}

TEST(RopeScaling, DivisorsOfAFileReplaceTheFormula) {
  RopeParameters given{.dimensions = 4, .theta = 100, .scaling = RopeScaling::kNone};
  given.frequency_divisors = {1.0F, 2.0F};
  const RopeTable table(given, 0, 11);
  const RopeTable plain({.dimensions = 4, .theta = 100}, 0, 11);
  EXPECT_EQ(table.sines(10)[0], plain.sines(10)[0]);
  EXPECT_EQ(table.sines(10)[1], plain.sines(5)[1]);
}

TEST(RopeScaling, YarnBlendsBetweenItsTwoCorners) {
  // 128 dimensions, base 10000, original context 4096, factor 16: corners at 20.9 and 45.03, so the
  // ramp runs from pair 20 to pair 46.
  const RopeParameters parameters{
      .dimensions = 128, .scaling = RopeScaling::kYarn, .factor = 16, .original_context = 4096};
  const RopeTable table(parameters, 0, 2);
  const double magnitude = 0.1 * std::log(16.0) + 1;
  const auto angle = [&](std::size_t pair) {
    return std::atan2(static_cast<double>(table.sines(1)[pair]),
                      static_cast<double>(table.cosines(1)[pair]));
  };
  const auto plain = [](double pair) { return std::pow(10000.0, -pair / 64); };
  EXPECT_NEAR(angle(20), plain(20), 1e-6);
  EXPECT_NEAR(angle(46) * 16 / plain(46), 1, 1e-5);
  const double ramp = 1 - (33.0 - 20) / 26;
  EXPECT_NEAR(angle(33) / (plain(33) / 16 * (1 - ramp) + plain(33) * ramp), 1, 1e-5);
  EXPECT_NEAR(std::hypot(table.sines(1)[3], table.cosines(1)[3]), magnitude, 1e-6);
}

TEST(RopeScaling, HasANameForEveryKind) {
  EXPECT_EQ(rope_scaling_name(RopeScaling::kNone), "none");
  EXPECT_EQ(rope_scaling_name(RopeScaling::kYarn), "yarn");
}

}  // namespace
}  // namespace qbuild::kernels
