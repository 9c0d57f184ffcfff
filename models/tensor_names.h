#pragma once
// The role of each tensor of a Llama network, and its names: in a transformers checkpoint and in a
// GGUF. Source: docs/gguf.md. Pure; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qbuild::models {

enum class TensorRole : std::uint8_t {
  kTokenEmbedding,
  kOutputNorm,
  kOutput,
  kRopeFrequencies,  // GGUF only
  kAttentionNorm,
  kQuery,
  kKey,
  kValue,
  kAttentionOutput,
  kFeedForwardNorm,
  kGate,
  kUp,
  kDown,
};

enum class TensorPart : std::uint8_t {
  kWeight,
  kBias,
  kScale,  // GGUF only: one number by which a product with the weight is multiplied
};

struct TensorName {
  TensorRole role = TensorRole::kTokenEmbedding;
  TensorPart part = TensorPart::kWeight;
  std::uint32_t layer = 0;  // 0 for roles outside the layers

  friend bool operator==(const TensorName&, const TensorName&) = default;
};

[[nodiscard]] bool is_layer_role(TensorRole role);

// "model.layers.3.self_attn.q_proj.weight". A checkpoint without the leading "model." (a bare
// LlamaModel) is understood too. Nothing for a name that is no tensor of the architecture.
[[nodiscard]] std::optional<TensorName> tensor_from_checkpoint_name(std::string_view name);
// "blk.3.attn_q.weight"
[[nodiscard]] std::optional<TensorName> tensor_from_gguf_name(std::string_view name);

[[nodiscard]] std::string checkpoint_name(const TensorName& tensor);
[[nodiscard]] std::string gguf_name(const TensorName& tensor);

// Tensors that checkpoints carry and converters leave out: "...rotary_emb.inv_freq",
// "...masked_bias".
[[nodiscard]] bool is_ignored_checkpoint_name(std::string_view name);

// True for q and k: a GGUF holds their rows (and biases) with the pairs of the rotation side by
// side.
[[nodiscard]] bool has_permuted_rows(TensorRole role);
// Which row of the checkpoint becomes row `gguf_row` of the GGUF: row h*d + 2i + s is row h*d +
// s*(d/2) + i. head_dim (d) is even.
[[nodiscard]] std::uint64_t checkpoint_row(std::uint64_t gguf_row, std::uint64_t head_dim);

}  // namespace qbuild::models
