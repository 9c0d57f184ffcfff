#include "rules/tensor_role.h"

#include <gtest/gtest.h>

namespace qbuild::rules {
namespace {

TEST(TensorRole, IsToldFromTheName) {
  const auto role = [](std::string_view name) { return role_of(name, "llama", true); };
  EXPECT_EQ(role("output.weight"), TensorRole::kOutput);
  EXPECT_EQ(role("token_embd.weight"), TensorRole::kEmbedding);
  EXPECT_EQ(role("per_layer_token_embd.weight"), TensorRole::kEmbedding);
  EXPECT_EQ(role("blk.0.attn_v.weight"), TensorRole::kAttnV);
  EXPECT_EQ(role("blk.0.attn_qkv.weight"), TensorRole::kAttnV);
  EXPECT_EQ(role("blk.0.attn_kv_b.weight"), TensorRole::kAttnV);
  EXPECT_EQ(role("blk.0.attn_output.weight"), TensorRole::kAttnOutput);
  EXPECT_EQ(role("blk.0.ffn_down_exps.weight"), TensorRole::kFfnDown);
  EXPECT_EQ(role("blk.0.ffn_gate_up_exps.weight"), TensorRole::kFfnGate);
  for (const char* other : {"blk.0.attn_gate.weight", "blk.0.attn_q_a.weight",
                            "blk.0.ssm_in.weight", "blk.0.attn_k_b.weight", "cls.output.weight"})
    EXPECT_EQ(role(other), TensorRole::kOther) << other;
}

TEST(TensorRole, OfEmbeddingsIsTheOutputsWhereThereIsNone) {
  EXPECT_EQ(role_of("token_embd.weight", "gemma3", false), TensorRole::kOutput);
  EXPECT_EQ(role_of("per_layer_token_embd.weight", "gemma4", false), TensorRole::kOutput);
}

TEST(TensorRole, MayDependOnTheArchitecture) {
  EXPECT_EQ(role_of("blk.0.attn_q_a.weight", "glm5-next", true), TensorRole::kDelicate);
  EXPECT_EQ(role_of("blk.0.attn_q_a.weight", "deepseek2", true), TensorRole::kOther);
}

TEST(TensorRole, BlocksHaveANumberInTheName) {
  EXPECT_EQ(block_of("blk.12.attn_q.weight"), 12u);
  EXPECT_EQ(block_of("output.weight"), std::nullopt);
  EXPECT_EQ(block_of("blk.x.attn_q.weight"), std::nullopt);
  EXPECT_EQ(block_of("blk.1"), std::nullopt);
}

TEST(Quantizable, AreMatricesWhoseNameEndsInWeight) {
  EXPECT_TRUE(is_quantizable({"blk.0.attn_q.weight", {64, 64}}, "llama"));
  EXPECT_TRUE(is_quantizable({"blk.0.ffn_up_exps.weight", {64, 64, 8}}, "llama"));
  EXPECT_TRUE(is_quantizable({"a.weight", {1, 64}}, "llama"));
  EXPECT_FALSE(is_quantizable({"a.weight", {64, 1}}, "llama"));
  EXPECT_FALSE(is_quantizable({"a.weight", {64}}, "llama"));
  EXPECT_FALSE(is_quantizable({"a.weight", {}}, "llama"));
  EXPECT_FALSE(is_quantizable({"blk.0.attn_q.bias", {64, 64}}, "llama"));
}

TEST(Quantizable, AreNotRoutersNormsAndConvolutions) {
  for (const char* name :
       {"blk.0.attn_norm.weight", "blk.0.ffn_gate_inp.weight", "blk.0.ssm_conv1d.weight",
        "position_embd.weight", "token_types.weight", "v.position_embd.weight",
        "blk.0.time_mix_w1.weight", "blk.0.shortconv.conv.weight", "per_layer_model_proj.weight"})
    EXPECT_FALSE(is_quantizable({name, {64, 64}}, "llama")) << name;
  EXPECT_TRUE(is_quantizable({"blk.0.attn_k_b.weight", {64, 64}}, "deepseek2"));
  EXPECT_FALSE(is_quantizable({"blk.0.attn_k_b.weight", {64, 64}}, "glm5-next"));
}

TEST(FileOrder, FilesBeginWithWhatIsOutsideTheBlocks) {
  EXPECT_TRUE(file_order("output.weight", "blk.0.attn_q.weight"));
  EXPECT_TRUE(file_order("blk.2.attn_q.weight", "blk.10.attn_k.weight"));
  EXPECT_TRUE(file_order("blk.2.attn_k.weight", "blk.2.attn_q.weight"));
}

}  // namespace
}  // namespace qbuild::rules
