#include "rules/gates.h"

#include <gmock/gmock.h>

#include <limits>

#include "manifests/keys.h"

namespace qbuild::rules {
namespace {

Json quality(double perplexity) {
  Json text = Json::object({{"perplexity", perplexity}});
  return Json::object({{"texts", Json(Json::Array{text})}});
}

TEST(Gates, MayNameWhatAManifestMay) {
  std::vector<std::string_view> names;
  for (const GateMetric& metric : gate_metrics()) names.push_back(metric.name);
  EXPECT_THAT(names,
              testing::UnorderedElementsAreArray(manifests::key_names(manifests::Section::kGates)));
}

TEST(Gates, TheRatioIsThatToTheSource) {
  const auto metrics = measured_metrics(quality(36.0), quality(32.0), {}, {});
  EXPECT_DOUBLE_EQ(metrics.at("perplexity"), 36.0);
  EXPECT_DOUBLE_EQ(metrics.at("perplexity_ratio"), 1.125);
}

TEST(Gates, WithoutTheSourceThereIsNoRatio) {
  EXPECT_FALSE(measured_metrics(quality(36.0), {}, {}, {}).contains("perplexity_ratio"));
}

TEST(Gates, AVariantWithinItsBoundsIsReady) {
  const std::vector<Gate> gates{{"perplexity_ratio", std::nullopt, 1.03}};
  EXPECT_FALSE(judge(gates, {{"perplexity_ratio", 1.03}}).held);
}

TEST(Gates, TheReasonNamesBothNumbers) {
  const std::vector<Gate> gates{{"perplexity_ratio", std::nullopt, 1.03}};
  const auto verdict = judge(gates, {{"perplexity_ratio", 1.045}});
  EXPECT_TRUE(verdict.held);
  EXPECT_EQ(verdict.reason, "gate perplexity_ratio: 1.045 is above 1.03");
  const std::vector<Gate> least{{"generate_tokens_per_second", 10.0, std::nullopt}};
  EXPECT_EQ(judge(least, {{"generate_tokens_per_second", 9.5}}).reason,
            "gate generate_tokens_per_second: 9.5 is below 10");
}

TEST(Gates, WhatWasNotMeasuredIsHeld) {
  const std::vector<Gate> gates{{"perplexity_ratio", std::nullopt, 1.03}};
  EXPECT_EQ(judge(gates, {}).reason, "gate perplexity_ratio: it was not measured");
}

TEST(Gates, NotANumberKeepsNoGate) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Gate> most{{"perplexity", std::nullopt, 100.0}};
  const std::vector<Gate> least{{"perplexity", 1.0, std::nullopt}};
  EXPECT_TRUE(judge(most, {{"perplexity", nan}}).held);
  EXPECT_TRUE(judge(least, {{"perplexity", nan}}).held);
}

}  // namespace
}  // namespace qbuild::rules
