#include "models/tensor_names.h"

#include <fmt/core.h>

#include <array>
#include <charconv>

namespace qbuild::models {
namespace {

struct NameRow {
  TensorRole role;
  std::string_view checkpoint;  // empty: only a GGUF has it
  std::string_view gguf;
};

constexpr std::array<NameRow, 4> kModelNames = {{
    {TensorRole::kTokenEmbedding, "embed_tokens", "token_embd"},
    {TensorRole::kOutputNorm, "norm", "output_norm"},
    {TensorRole::kOutput, "lm_head", "output"},
    {TensorRole::kRopeFrequencies, "", "rope_freqs"},
}};

constexpr std::array<NameRow, 9> kLayerNames = {{
    {TensorRole::kAttentionNorm, "input_layernorm", "attn_norm"},
    {TensorRole::kQuery, "self_attn.q_proj", "attn_q"},
    {TensorRole::kKey, "self_attn.k_proj", "attn_k"},
    {TensorRole::kValue, "self_attn.v_proj", "attn_v"},
    {TensorRole::kAttentionOutput, "self_attn.o_proj", "attn_output"},
    {TensorRole::kFeedForwardNorm, "post_attention_layernorm", "ffn_norm"},
    {TensorRole::kGate, "mlp.gate_proj", "ffn_gate"},
    {TensorRole::kUp, "mlp.up_proj", "ffn_up"},
    {TensorRole::kDown, "mlp.down_proj", "ffn_down"},
}};

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// The number before the next dot, which is taken too. Leading zeros are no layer's name.
std::optional<std::uint32_t> take_layer(std::string_view& text) {
  std::uint32_t layer = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), layer);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || digits == text.size() || *end != '.') return std::nullopt;
  if (digits > 1 && text.front() == '0') return std::nullopt;
  text.remove_prefix(digits + 1);
  return layer;
}

std::optional<TensorPart> take_part(std::string_view& text) {
  for (const auto& [suffix, part] : {std::pair{std::string_view(".weight"), TensorPart::kWeight},
                                     std::pair{std::string_view(".bias"), TensorPart::kBias},
                                     std::pair{std::string_view(".scale"), TensorPart::kScale}}) {
    if (text.ends_with(suffix)) {
      text.remove_suffix(suffix.size());
      return part;
    }
  }
  return std::nullopt;
}

template <std::size_t kCount>
const NameRow* find_row(const std::array<NameRow, kCount>& rows, std::string_view name,
                        std::string_view NameRow::*spelling) {
  for (const NameRow& row : rows) {
    if (!(row.*spelling).empty() && row.*spelling == name) return &row;
  }
  return nullptr;
}

std::optional<TensorName> parse(std::string_view name, std::string_view layer_prefix,
                                std::string_view NameRow::*spelling) {
  const auto part = take_part(name);
  if (!part) return std::nullopt;
  if (take_prefix(name, layer_prefix)) {
    const auto layer = take_layer(name);
    const NameRow* row = layer ? find_row(kLayerNames, name, spelling) : nullptr;
    if (row == nullptr) return std::nullopt;
    return TensorName{row->role, *part, *layer};
  }
  const NameRow* row = find_row(kModelNames, name, spelling);
  if (row == nullptr) return std::nullopt;
  return TensorName{row->role, *part, 0};
}

const NameRow& row_of(TensorRole role) {
  for (const NameRow& row : kModelNames) {
    if (row.role == role) return row;
  }
  for (const NameRow& row : kLayerNames) {
    if (row.role == role) return row;
  }
  return kModelNames.front();
}

std::string_view suffix(TensorPart part) {
  return part == TensorPart::kWeight ? "weight" : part == TensorPart::kBias ? "bias" : "scale";
}

}  // namespace

bool is_layer_role(TensorRole role) {
  return role >= TensorRole::kAttentionNorm;
}

std::optional<TensorName> tensor_from_checkpoint_name(std::string_view name) {
  take_prefix(name, "model.");
  auto tensor = parse(name, "layers.", &NameRow::checkpoint);
  if (tensor && tensor->part == TensorPart::kScale) tensor.reset();
  return tensor;
}

std::optional<TensorName> tensor_from_gguf_name(std::string_view name) {
  return parse(name, "blk.", &NameRow::gguf);
}

std::string checkpoint_name(const TensorName& tensor) {
  const NameRow& row = row_of(tensor.role);
  if (is_layer_role(tensor.role)) {
    return fmt::format("model.layers.{}.{}.{}", tensor.layer, row.checkpoint, suffix(tensor.part));
  }
  const std::string_view prefix = tensor.role == TensorRole::kOutput ? "" : "model.";
  return fmt::format("{}{}.{}", prefix, row.checkpoint, suffix(tensor.part));
}

std::string gguf_name(const TensorName& tensor) {
  const NameRow& row = row_of(tensor.role);
  if (is_layer_role(tensor.role)) {
    return fmt::format("blk.{}.{}.{}", tensor.layer, row.gguf, suffix(tensor.part));
  }
  return fmt::format("{}.{}", row.gguf, suffix(tensor.part));
}

bool is_ignored_checkpoint_name(std::string_view name) {
  return name.ends_with(".rotary_emb.inv_freq") || name.ends_with(".attention.masked_bias") ||
         name.ends_with(".attention.bias");
}

bool has_permuted_rows(TensorRole role) {
  return role == TensorRole::kQuery || role == TensorRole::kKey;
}

std::uint64_t checkpoint_row(std::uint64_t gguf_row, std::uint64_t head_dim) {
  const std::uint64_t head = gguf_row / head_dim;
  const std::uint64_t within = gguf_row % head_dim;
  return head * head_dim + within % 2 * (head_dim / 2) + within / 2;
}

}  // namespace qbuild::models
