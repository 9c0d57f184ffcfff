#include "models/expected_tensors.h"

#include <array>

namespace qbuild::models {
namespace {

constexpr std::array<TensorRole, 9> kLayerRoles{TensorRole::kAttentionNorm,
                                                TensorRole::kQuery,
                                                TensorRole::kKey,
                                                TensorRole::kValue,
                                                TensorRole::kAttentionOutput,
                                                TensorRole::kFeedForwardNorm,
                                                TensorRole::kGate,
                                                TensorRole::kUp,
                                                TensorRole::kDown};

std::optional<TensorExtent> extent_of_weight(TensorRole role, const HyperParameters& p) {
  switch (role) {
    case TensorRole::kTokenEmbedding:
    case TensorRole::kOutput:
      return TensorExtent{p.vocabulary, p.hidden};
    case TensorRole::kOutputNorm:
    case TensorRole::kAttentionNorm:
    case TensorRole::kFeedForwardNorm:
      return TensorExtent{1, p.hidden, true};
    case TensorRole::kQuery:
      return TensorExtent{p.query_width(), p.hidden};
    case TensorRole::kKey:
    case TensorRole::kValue:
      return TensorExtent{p.kv_width(), p.hidden};
    case TensorRole::kAttentionOutput:
      return TensorExtent{p.hidden, p.query_width()};
    case TensorRole::kGate:
    case TensorRole::kUp:
      return TensorExtent{p.feed_forward, p.hidden};
    case TensorRole::kDown:
      return TensorExtent{p.hidden, p.feed_forward};
    case TensorRole::kRopeFrequencies:
      break;
  }
  return std::nullopt;
}

}  // namespace

bool may_have_bias(TensorRole role) {
  return is_layer_role(role) && role != TensorRole::kAttentionNorm &&
         role != TensorRole::kFeedForwardNorm;
}

bool needs_bias(TensorRole role, const HyperParameters& parameters) {
  if (!may_have_bias(role)) return false;
  return role >= TensorRole::kGate ? parameters.feed_forward_bias : parameters.attention_bias;
}

std::optional<TensorExtent> expected_extent(const TensorName& tensor,
                                            const HyperParameters& parameters) {
  if (is_layer_role(tensor.role) && tensor.layer >= parameters.layers) return std::nullopt;
  const auto weight = extent_of_weight(tensor.role, parameters);
  if (!weight || tensor.part == TensorPart::kWeight) return weight;
  if (tensor.part == TensorPart::kScale) {
    const bool may_have_scale = may_have_bias(tensor.role) || tensor.role == TensorRole::kOutput;
    return may_have_scale ? std::optional(TensorExtent{1, 1, true}) : std::nullopt;
  }
  if (!may_have_bias(tensor.role)) return std::nullopt;
  return TensorExtent{1, weight->rows, true};
}

std::vector<TensorName> required_tensors(const HyperParameters& parameters) {
  std::vector<TensorName> names{{TensorRole::kTokenEmbedding}, {TensorRole::kOutputNorm}};
  if (!parameters.tied_output) names.push_back({TensorRole::kOutput});
  for (std::uint32_t layer = 0; layer < parameters.layers; ++layer)
    for (const TensorRole role : kLayerRoles) {
      names.push_back({role, TensorPart::kWeight, layer});
      if (needs_bias(role, parameters)) names.push_back({role, TensorPart::kBias, layer});
    }
  return names;
}

}  // namespace qbuild::models
