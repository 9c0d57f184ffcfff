#include "rules/tensor_scale.h"

#include <gmock/gmock.h>

namespace qbuild::rules {
namespace {

using ::testing::ElementsAre;

// Which of the tensors, all of NVFP4, get a factor.
std::vector<std::string> scaled(const std::vector<std::string>& names,
                                std::string_view architecture, DType type = DType::kNVFP4) {
  std::vector<WeightTensor> tensors;
  for (const std::string& name : names)
    tensors.push_back({.name = name, .stored_name = name, .shape = {64, 64}});
  const std::vector<TypeChoice> choices(tensors.size(), TypeChoice{.type = type});
  const auto which = scaled_tensors(tensors, choices, architecture);
  std::vector<std::string> found;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (which.at(i)) found.push_back(names[i]);
  return found;
}

TEST(ScaledTensors, AreThoseThatAReaderOfTheArchitectureMultiplies) {
  const std::vector<std::string> names{"token_embd.weight",         "output.weight",
                                       "blk.0.attn_q.weight",       "blk.0.attn_qkv.weight",
                                       "blk.11.ffn_down.weight",    "blk.0.ffn_up_exps.weight",
                                       "blk.0.ffn_up_shexp.weight", "blk.0.ssm_in.weight"};
  EXPECT_THAT(scaled(names, "llama"),
              ElementsAre("output.weight", "blk.0.attn_q.weight", "blk.0.attn_qkv.weight",
                          "blk.11.ffn_down.weight", "blk.0.ffn_up_exps.weight"));
  EXPECT_THAT(scaled(names, "qwen2"),
              ElementsAre("output.weight", "blk.0.attn_q.weight", "blk.0.attn_qkv.weight"));
  EXPECT_THAT(scaled(names, "qwen3next"),
              ElementsAre("output.weight", "blk.0.attn_q.weight", "blk.0.ffn_up_exps.weight",
                          "blk.0.ffn_up_shexp.weight"));
  EXPECT_THAT(scaled(names, "mamba2"), ElementsAre("output.weight", "blk.0.ssm_in.weight"));
}

TEST(ScaledTensors, AreNoneOfAnArchitectureThatNobodyTried) {
  EXPECT_THAT(scaled({"blk.0.attn_q.weight", "output.weight"}, "deepseek2"), ElementsAre());
  EXPECT_THAT(scaled({"blk.0.attn_q.weight", "output.weight"}, ""), ElementsAre());
}

TEST(ScaledTensors, AreOfNvfp4Alone) {
  EXPECT_THAT(scaled({"blk.0.attn_q.weight"}, "llama", DType::kMXFP4), ElementsAre());
}

TEST(ScaledTensors, AreNamedExactly) {
  EXPECT_THAT(
      scaled({"attn_q.weight", "blk.0.output.weight", "blk.0.attn_q.bias", "blk.0.attn_q_a.weight",
              "blk.x.attn_q.weight", "x.output.weight", ".weight", "weight", "blk.0.weight"},
             "llama"),
      ElementsAre());
}

TEST(ScaledTensors, HaveNoFactorYet) {
  EXPECT_THAT(scaled({"blk.0.attn_q.scale", "blk.0.attn_q.weight", "blk.1.attn_q.weight"}, "llama"),
              ElementsAre("blk.1.attn_q.weight"));
}

TEST(ScaledTensors, AreSeveralMatricesOfExpertsOnly) {
  std::vector<WeightTensor> tensors;
  for (const char* name : {"blk.0.attn_q.weight", "blk.0.ffn_up_exps.weight"})
    tensors.push_back({.name = name, .stored_name = name, .shape = {64, 64, 2}});
  const std::vector<TypeChoice> choices(2, TypeChoice{.type = DType::kNVFP4});
  EXPECT_THAT(scaled_tensors(tensors, choices, "llama"), ElementsAre(false, true));
}

TEST(ScaledTensors, AreNotHandedOnAsTheyAre) {
  const std::vector<WeightTensor> tensors{{.name = "blk.0.attn_q.weight",
                                           .stored_name = "x",
                                           .shape = {64, 64},
                                           .stored = DType::kNVFP4}};
  const std::vector<TypeChoice> choices{{.type = DType::kNVFP4}};
  EXPECT_THAT(scaled_tensors(tensors, choices, "llama"), ElementsAre(false));
}

TEST(ScaledTensors, OfAFeedForwardNetworkHaveNoBiasWhichWouldBeMultipliedToo) {
  EXPECT_THAT(scaled({"blk.0.ffn_up.bias", "blk.0.ffn_up.weight", "blk.0.ffn_down.weight",
                      "blk.0.attn_q.bias", "blk.0.attn_q.weight"},
                     "llama"),
              ElementsAre("blk.0.ffn_down.weight", "blk.0.attn_q.weight"));
}

TEST(TensorScale, StandsBesideItsWeight) {
  EXPECT_EQ(scale_name("blk.0.attn_q.weight"), "blk.0.attn_q.scale");
  EXPECT_EQ(scale_name("output.weight"), "output.scale");
  EXPECT_EQ(scale_name("blk.0.attn_q.bias"), std::nullopt);
}

TEST(TensorScale, IsANumberForEachMatrix) {
  const auto count = [](std::vector<std::uint64_t> shape) {
    return matrices_of({.name = "x", .stored_name = "x", .shape = std::move(shape)});
  };
  EXPECT_EQ(count({64, 32}), 1u);
  EXPECT_EQ(count({64, 32, 8}), 8u);
  EXPECT_EQ(count({64}), 1u);
}

}  // namespace
}  // namespace qbuild::rules
