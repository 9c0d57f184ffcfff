#include "models/expected_tensors.h"

#include <gmock/gmock.h>

#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

using ::testing::Contains;
using ::testing::Not;

TEST(ExpectedTensors, HaveTheShapesOfThePublishedNetwork) {
  HyperParameters p = tiny_parameters();
  p.heads = 8;  // query_width 128, not hidden
  const auto extent = [&](TensorRole role) {
    return expected_extent({role, TensorPart::kWeight, 0}, p);
  };
  EXPECT_EQ(extent(TensorRole::kTokenEmbedding), (TensorExtent{50, 64}));
  EXPECT_EQ(extent(TensorRole::kOutput), (TensorExtent{50, 64}));
  EXPECT_EQ(extent(TensorRole::kOutputNorm), (TensorExtent{1, 64, true}));
  EXPECT_EQ(extent(TensorRole::kAttentionNorm), (TensorExtent{1, 64, true}));
  EXPECT_EQ(extent(TensorRole::kFeedForwardNorm), (TensorExtent{1, 64, true}));
  EXPECT_EQ(extent(TensorRole::kQuery), (TensorExtent{128, 64}));
  EXPECT_EQ(extent(TensorRole::kKey), (TensorExtent{32, 64}));
  EXPECT_EQ(extent(TensorRole::kValue), (TensorExtent{32, 64}));
  EXPECT_EQ(extent(TensorRole::kAttentionOutput), (TensorExtent{64, 128}));
  EXPECT_EQ(extent(TensorRole::kGate), (TensorExtent{96, 64}));
  EXPECT_EQ(extent(TensorRole::kUp), (TensorExtent{96, 64}));
  EXPECT_EQ(extent(TensorRole::kDown), (TensorExtent{64, 96}));
}

TEST(ExpectedTensors, ABiasIsAsLongAsItsMatrixHasRows) {
  const HyperParameters p = tiny_parameters();
  EXPECT_EQ(expected_extent({TensorRole::kKey, TensorPart::kBias, 1}, p),
            (TensorExtent{1, 32, true}));
  EXPECT_EQ(expected_extent({TensorRole::kDown, TensorPart::kBias, 1}, p),
            (TensorExtent{1, 64, true}));
}

TEST(ExpectedTensors, AScaleIsOneNumber) {
  const HyperParameters p = tiny_parameters();
  for (const TensorName& name : {TensorName{TensorRole::kDown, TensorPart::kScale, 1},
                                 TensorName{TensorRole::kOutput, TensorPart::kScale}})
    EXPECT_EQ(expected_extent(name, p), (TensorExtent{1, 1, true}));
}

TEST(ExpectedTensors, WhatNoSuchNetworkHasIsNotExpected) {
  const HyperParameters p = tiny_parameters();
  EXPECT_FALSE(expected_extent({TensorRole::kAttentionNorm, TensorPart::kScale, 0}, p));
  EXPECT_FALSE(expected_extent({TensorRole::kTokenEmbedding, TensorPart::kScale}, p));
  EXPECT_FALSE(expected_extent({TensorRole::kQuery, TensorPart::kWeight, 2}, p));
  EXPECT_FALSE(expected_extent({TensorRole::kAttentionNorm, TensorPart::kBias, 0}, p));
  EXPECT_FALSE(expected_extent({TensorRole::kTokenEmbedding, TensorPart::kBias, 0}, p));
  EXPECT_FALSE(expected_extent({TensorRole::kRopeFrequencies}, p));
}

TEST(ExpectedTensors, AreRequiredOutsideTheLayersFirst) {
  const auto names = required_tensors(tiny_parameters());
  ASSERT_EQ(names.size(), 3U + 2 * 9);
  EXPECT_EQ(names[0], (TensorName{TensorRole::kTokenEmbedding}));
  EXPECT_EQ(names[3], (TensorName{TensorRole::kAttentionNorm, TensorPart::kWeight, 0}));
  EXPECT_EQ(names.back(), (TensorName{TensorRole::kDown, TensorPart::kWeight, 1}));
}

TEST(ExpectedTensors, ATiedOutputIsNotRequired) {
  HyperParameters p = tiny_parameters();
  p.tied_output = true;
  EXPECT_THAT(required_tensors(p), Not(Contains(TensorName{TensorRole::kOutput})));
}

TEST(ExpectedTensors, BiasesAreRequiredWhereTheParametersDemandThem) {
  const TensorName query{TensorRole::kQuery, TensorPart::kBias, 1};
  const TensorName gate{TensorRole::kGate, TensorPart::kBias, 1};
  HyperParameters p = tiny_parameters();
  EXPECT_THAT(required_tensors(p), Not(Contains(query)));
  p.attention_bias = true;
  EXPECT_THAT(required_tensors(p), Contains(query));
  EXPECT_THAT(required_tensors(p), Not(Contains(gate)));
  p.feed_forward_bias = true;
  EXPECT_THAT(required_tensors(p), Contains(gate));
}

}  // namespace
}  // namespace qbuild::models
