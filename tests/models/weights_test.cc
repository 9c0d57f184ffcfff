#include "models/weights.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

Error failure(const TinySource& source, const HyperParameters& parameters = tiny_parameters()) {
  try {
    static_cast<void>(load_weights(source, parameters));
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::kInternal, "loaded"};
}

TEST(LoadWeights, TakesEveryTensorOfTheNetwork) {
  const Weights weights = load_weights(TinySource(tiny_parameters()), tiny_parameters());
  EXPECT_EQ(weights.layers.size(), 2U);
  EXPECT_EQ(weights.embedding.rows, 50U);
  EXPECT_EQ(weights.layers[1].key.weight.rows, 32U);
  EXPECT_TRUE(weights.layers[1].key.bias.empty());
  // 2 * 50*64 of embedding and output, a norm, and two layers.
  EXPECT_EQ(weights.bytes(), 4U * (6400 + 64 + 2 * (128 + 64 * (64 + 32 + 32 + 64) + 3 * 64 * 96)));
}

TEST(LoadWeights, NamesAMissingTensor) {
  TinySource source(tiny_parameters());
  source.tensors.erase("model.layers.1.mlp.up_proj.weight");
  const Error error = failure(source);
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(),
            "tiny: tensor model.layers.1.mlp.up_proj.weight is missing; the model is not complete");
}

TEST(LoadWeights, NamesATensorOfAnotherShape) {
  TinySource source(tiny_parameters());
  source.tensors["model.layers.0.self_attn.k_proj.weight"].rows = 33;
  const Error error = failure(source);
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(
      error.message(),
      "tiny: tensor model.layers.0.self_attn.k_proj.weight has the shape 33 x 64, but the model's "
      "parameters ask for 32 x 64");
}

TEST(LoadWeights, NamesATensorOfATypeThatNothingComputesWith) {
  const Error error = failure(TinySource(tiny_parameters(), DType::kI8));
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(),
            "tiny: tensor model.embed_tokens.weight has the type I8, with which nothing here can "
            "compute");
}

TEST(LoadWeights, NeedsTheBiasesThatTheParametersPromise) {
  HyperParameters p = tiny_parameters();
  p.attention_bias = true;
  EXPECT_EQ(
      failure(TinySource(p), p).message(),
      "tiny: tensor model.layers.0.self_attn.q_proj.bias is missing; the model is not complete");
}

TEST(LoadWeights, TakeTheScaleThatStandsBesideAWeight) {
  TinySource source(tiny_parameters());
  source.tensors["model.layers.1.mlp.up_proj.scale"] = {1, 1, true, {0.25F}};
  source.tensors["lm_head.scale"] = {1, 1, true, {2.0F}};
  const Weights weights = load_weights(source, tiny_parameters());
  EXPECT_EQ(weights.layers[1].up.weight.scale, 0.25F);
  EXPECT_EQ(weights.layers[0].up.weight.scale, 1.0F);
  EXPECT_EQ(weights.output.scale, 2.0F);
}

TEST(LoadWeights, RefusesAScaleThatIsNoNumberOrSeveral) {
  TinySource source(tiny_parameters());
  TinyTensor& scale = source.tensors["model.layers.0.self_attn.q_proj.scale"];
  scale = {1, 1, true, {std::numeric_limits<float>::infinity()}};
  EXPECT_EQ(failure(source).kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(failure(source).message(),
            "tiny: tensor model.layers.0.self_attn.q_proj.scale has the value inf, which is no "
            "finite number");
  scale = {1, 2, true, {1, 1}};
  EXPECT_EQ(failure(source).message(),
            "tiny: tensor model.layers.0.self_attn.q_proj.scale has the shape 1 x 2, but the "
            "model's parameters ask for 1 x 1");
}

TEST(LoadWeights, NeedsAnOutputMatrixUnlessItIsTied) {
  HyperParameters p = tiny_parameters();
  TinySource source(p);
  source.tensors.erase("lm_head.weight");
  EXPECT_EQ(failure(source).message(),
            "tiny: tensor lm_head.weight is missing; the model is not complete");
  p.tied_output = true;
  EXPECT_EQ(failure(source, p).message(), "loaded");
}

}  // namespace
}  // namespace qbuild::models
