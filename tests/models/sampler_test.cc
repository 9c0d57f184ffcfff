#include "models/sampler.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "base/error.h"

namespace qbuild::models {
namespace {

const std::vector<float> kLogits = {0.0F, 2.0F, 1.0F, 2.0F, -5.0F};

std::array<int, 5> draw(const SamplerOptions& options, int count) {
  Sampler sampler(options);
  std::array<int, 5> seen{};
  for (int i = 0; i < count; ++i) ++seen[static_cast<std::size_t>(sampler.next(kLogits))];
  return seen;
}

TEST(Sampler, IsGreedyAtTemperatureZeroAndTakesTheLowerIdOnATie) {
  EXPECT_EQ(draw({}, 10), (std::array<int, 5>{0, 10, 0, 0, 0}));
}

TEST(Sampler, DrawsInProportionToTheProbabilities) {
  const std::array<int, 5> seen = draw({.temperature = 1, .seed = 1}, 20000);
  const double total = 1 + 2 * std::exp(2.0) + std::exp(1.0) + std::exp(-5.0);
  EXPECT_NEAR(seen[0] / 20000.0, 1 / total, 0.01);
  EXPECT_NEAR(seen[1] / 20000.0, std::exp(2.0) / total, 0.015);
  EXPECT_NEAR(seen[2] / 20000.0, std::exp(1.0) / total, 0.015);
}

TEST(Sampler, NeverLeavesTopKOrTopP) {
  const std::array<int, 5> k = draw({.temperature = 2, .top_k = 2}, 500);
  EXPECT_EQ(k[0] + k[2] + k[4], 0);
  EXPECT_GT(k[1], 0);
  EXPECT_GT(k[3], 0);
  // Two tokens hold 0.79 of the probability.
  const std::array<int, 5> p = draw({.temperature = 1, .top_p = 0.7}, 500);
  EXPECT_EQ(p[0] + p[2] + p[4], 0);
}

TEST(Sampler, GivesTheSameTokensForTheSameSeed) {
  EXPECT_EQ(draw({.temperature = 1, .seed = 9}, 50), draw({.temperature = 1, .seed = 9}, 50));
  EXPECT_NE(draw({.temperature = 1, .seed = 9}, 50), draw({.temperature = 1, .seed = 10}, 50));
}

TEST(Sampler, RefusesOptionsThatMakeNoSense) {
  EXPECT_THROW(Sampler({.temperature = -1}), Error);
  EXPECT_THROW(Sampler({.temperature = std::numeric_limits<double>::quiet_NaN()}), Error);
  EXPECT_THROW(Sampler({.top_p = 0}), Error);
  EXPECT_THROW(Sampler({.top_p = 1.5}), Error);
}

TEST(Sampler, RefusesLogitsThatAreNotNumbers) {
  Sampler sampler({});
  const std::vector<float> logits = {1.0F, std::numeric_limits<float>::quiet_NaN()};
  try {
    static_cast<void>(sampler.next(logits));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "sampling: a logit is not a number; the model's weights are broken");
  }
}

}  // namespace
}  // namespace qbuild::models
