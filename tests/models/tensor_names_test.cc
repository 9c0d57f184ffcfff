#include "models/tensor_names.h"

#include <gtest/gtest.h>

#include <set>

namespace qbuild::models {
namespace {

TEST(TensorNames, TranslateFromCheckpointToGguf) {
  const std::pair<const char*, const char*> pairs[] = {
      {"model.embed_tokens.weight", "token_embd.weight"},
      {"model.norm.weight", "output_norm.weight"},
      {"lm_head.weight", "output.weight"},
      {"model.layers.0.input_layernorm.weight", "blk.0.attn_norm.weight"},
      {"model.layers.11.self_attn.q_proj.weight", "blk.11.attn_q.weight"},
      {"model.layers.11.self_attn.k_proj.bias", "blk.11.attn_k.bias"},
      {"model.layers.1.self_attn.v_proj.weight", "blk.1.attn_v.weight"},
      {"model.layers.1.self_attn.o_proj.weight", "blk.1.attn_output.weight"},
      {"model.layers.1.post_attention_layernorm.weight", "blk.1.ffn_norm.weight"},
      {"model.layers.1.mlp.gate_proj.weight", "blk.1.ffn_gate.weight"},
      {"model.layers.1.mlp.up_proj.weight", "blk.1.ffn_up.weight"},
      {"model.layers.1.mlp.down_proj.weight", "blk.1.ffn_down.weight"}};
  for (const auto& [checkpoint, gguf] : pairs) {
    const auto name = tensor_from_checkpoint_name(checkpoint);
    ASSERT_TRUE(name) << checkpoint;
    EXPECT_EQ(gguf_name(*name), gguf);
    EXPECT_EQ(checkpoint_name(*name), checkpoint);
    EXPECT_EQ(tensor_from_gguf_name(gguf), name);
  }
}

TEST(TensorNames, UnderstandACheckpointWithoutTheFirstWord) {
  EXPECT_EQ(tensor_from_checkpoint_name("layers.3.mlp.up_proj.weight"),
            tensor_from_checkpoint_name("model.layers.3.mlp.up_proj.weight"));
}

TEST(TensorNames, RefuseWhatIsNoTensorOfTheArchitecture) {
  for (const char* name :
       {"", "weight", "model.layers.weight", "model.layers..input_layernorm.weight",
        "model.layers.1.input_layernorm", "model.layers.-1.input_layernorm.weight",
        "model.layers.01.input_layernorm.weight", "model.layers.x.input_layernorm.weight",
        "model.layers.99999999999.input_layernorm.weight", "model.layers.1.mlp.experts.0.w1.weight",
        "model.rope_freqs.weight", "rope_freqs.weight", ".weight"}) {
    EXPECT_FALSE(tensor_from_checkpoint_name(name)) << name;
  }
  // A factor beside a weight is GGUF's.
  EXPECT_FALSE(tensor_from_checkpoint_name("model.layers.1.mlp.up_proj.scale"));
  EXPECT_EQ(tensor_from_gguf_name("blk.1.ffn_up.scale"),
            (TensorName{TensorRole::kUp, TensorPart::kScale, 1}));
  EXPECT_EQ(gguf_name({TensorRole::kOutput, TensorPart::kScale}), "output.scale");
  EXPECT_FALSE(tensor_from_gguf_name("blk.0.attn_qkv.weight"));
  EXPECT_FALSE(tensor_from_gguf_name("blk.0.input_layernorm.weight"));
  EXPECT_EQ(tensor_from_gguf_name("rope_freqs.weight"), (TensorName{TensorRole::kRopeFrequencies}));
}

TEST(TensorNames, IgnoreWhatConvertersLeaveOut) {
  EXPECT_TRUE(is_ignored_checkpoint_name("model.layers.0.self_attn.rotary_emb.inv_freq"));
  EXPECT_TRUE(is_ignored_checkpoint_name("h.0.attention.masked_bias"));
  EXPECT_FALSE(is_ignored_checkpoint_name("model.norm.weight"));
}

TEST(CheckpointRow, PutsThePairsOfTheRotationSideBySide) {
  // A head of four: rows 0 1 2 3 become 0 2 1 3.
  EXPECT_EQ(checkpoint_row(0, 4), 0U);
  EXPECT_EQ(checkpoint_row(1, 4), 2U);
  EXPECT_EQ(checkpoint_row(2, 4), 1U);
  EXPECT_EQ(checkpoint_row(3, 4), 3U);
  EXPECT_EQ(checkpoint_row(5, 4), 6U);
  std::set<std::uint64_t> rows;
  for (std::uint64_t row = 0; row < 256; ++row) rows.insert(checkpoint_row(row, 32));
  EXPECT_EQ(rows.size(), 256U);
  EXPECT_TRUE(has_permuted_rows(TensorRole::kQuery));
  EXPECT_FALSE(has_permuted_rows(TensorRole::kValue));
}

}  // namespace
}  // namespace qbuild::models
