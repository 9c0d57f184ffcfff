#include "models/checkpoint_source.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "models/network.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

HyperParameters parse(const std::function<void(Json&)>& change) {
  Json json = Json::parse(tiny_config_json());
  change(json);
  return parameters_from_config(formats::parse_config(json, "config.json"));
}

std::string message(const std::function<void(Json&)>& change) {
  try {
    static_cast<void>(parse(change));
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

TEST(ParametersFromConfig, AreThoseOfTheFile) {
  const HyperParameters p = parse([](Json&) {});
  EXPECT_EQ(p.layers, 2U);
  EXPECT_EQ(p.feed_forward, 96U);
  EXPECT_EQ(p.kv_heads, 2U);
  EXPECT_EQ(p.head_dim, 16U);
  EXPECT_EQ(p.context, 64U);
  EXPECT_EQ(p.rope.dimensions, 16U);
  EXPECT_EQ(p.rope.scaling, kernels::RopeScaling::kNone);
  EXPECT_EQ(p.rope_layout, kernels::RopeLayout::kHalfSplit);
  EXPECT_FALSE(p.tied_output);
}

TEST(ParametersFromConfig, TakeEveryKindOfScalingInBothSpellings) {
  const HyperParameters linear = parse([](Json& json) {
    json["rope_scaling"] = Json::object({{"type", "linear"}, {"factor", 4.0}});
  });
  EXPECT_EQ(linear.rope.scaling, kernels::RopeScaling::kLinear);
  EXPECT_EQ(linear.rope.factor, 4.0);
  const HyperParameters llama3 = parse([](Json& json) {
    json["rope_parameters"] = Json::object({{"rope_type", "llama3"},
                                            {"rope_theta", 500000.0},
                                            {"factor", 32.0},
                                            {"low_freq_factor", 1.0},
                                            {"high_freq_factor", 4.0},
                                            {"original_max_position_embeddings", 8192}});
  });
  EXPECT_EQ(llama3.rope.scaling, kernels::RopeScaling::kLlama3);
  EXPECT_EQ(llama3.rope.theta, 500000.0);
  EXPECT_EQ(llama3.rope.factor, 32.0);
  EXPECT_EQ(llama3.rope.original_context, 8192.0);
  const HyperParameters yarn = parse([](Json& json) {
    json["rope_scaling"] = Json::object({{"rope_type", "yarn"}, {"factor", 2.0}});
  });
  EXPECT_EQ(yarn.rope.scaling, kernels::RopeScaling::kYarn);
  EXPECT_EQ(yarn.rope.original_context, 64.0);
}

TEST(ParametersFromConfig, RefuseWhatNothingHereRuns) {
  EXPECT_EQ(message([](Json& json) {
              json["rope_scaling"] = Json::object({{"type", "dynamic"}, {"factor", 2.0}});
            }),
            "config.json: rotation scaling of type \"dynamic\" is not supported; default, linear, "
            "llama3 and yarn "
            "are");
  EXPECT_EQ(message([](Json& json) { json["hidden_act"] = "gelu"; }),
            "config.json: hidden_act \"gelu\" is not supported; silu is");
}

TEST(ParametersFromConfig, TheClassIsEnoughWithoutAModelType) {
  EXPECT_EQ(message([](Json& json) { json["model_type"] = nullptr; }), "accepted");
  EXPECT_NE(message([](Json& json) { json["model_type"] = "mistral"; }), "accepted");
}

TEST(CheckpointSource, FindsTensorsWithAndWithoutTheFirstWord) {
  const TestFolder folder;
  TinySource tiny(tiny_parameters());
  tiny.tensors["layers.0.mlp.up_proj.weight"] = tiny.tensors["model.layers.0.mlp.up_proj.weight"];
  tiny.tensors.erase("model.layers.0.mlp.up_proj.weight");
  write_checkpoint(tiny, folder.path());
  const CheckpointSource source(*make_posix_file_system(), folder.path());
  const auto up = source.find({TensorRole::kUp, TensorPart::kWeight, 0});
  ASSERT_TRUE(up);
  EXPECT_EQ(up->rows, 96U);
  EXPECT_EQ(up->columns, 64U);
  const auto norm = source.find({TensorRole::kOutputNorm});
  ASSERT_TRUE(norm);
  EXPECT_EQ(norm->rows, 1U);
  EXPECT_EQ(norm->columns, 64U);
  EXPECT_EQ(source.read({TensorRole::kOutputNorm}).size(), 256U);
  EXPECT_FALSE(source.find({TensorRole::kQuery, TensorPart::kBias, 0}));
  EXPECT_FALSE(source.find({TensorRole::kRopeFrequencies}));
}

TEST(CheckpointSource, NamesFolderAndTensorThatIsMissing) {
  const TestFolder folder;
  TinySource tiny(tiny_parameters());
  tiny.tensors.erase("model.layers.1.mlp.up_proj.weight");
  write_checkpoint(tiny, folder.path());
  try {
    static_cast<void>(Network::load(*make_posix_file_system(), folder.path(), {}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_EQ(
        error.message(),
        folder.path().string() +
            ": tensor model.layers.1.mlp.up_proj.weight is missing; the model is not complete");
  }
}

}  // namespace
}  // namespace qbuild::models
