#include "rules/recipe_override.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "manifests/tensor_pattern.h"

namespace qbuild::rules {
namespace {

bool in_layers(const Override& rule, std::string_view name, std::uint32_t block_count) {
  if (rule.layers.empty()) return true;
  const auto block = block_of(name);
  if (!block) return false;
  const auto absolute = [&](int layer) {
    return layer < 0 ? layer + static_cast<int>(block_count) : layer;
  };
  return std::any_of(rule.layers.begin(), rule.layers.end(), [&](const auto& range) {
    const int layer = static_cast<int>(*block);
    return layer >= absolute(range.first) && layer <= absolute(range.second);
  });
}

std::string no_match_text(const Override& rule, std::uint32_t block_count) {
  std::string text = fmt::format("rule \"{}\" matches no tensor that is quantized", rule.match);
  if (!rule.layers.empty()) {
    std::string layers;
    for (const auto& [first, last] : rule.layers)
      layers += fmt::format(
          "{}{}", layers.empty() ? "" : ",",
          first == last ? fmt::format("{}", first) : fmt::format("{}..{}", first, last));
    text += fmt::format(" in the layers {}; the model has the layers 0..{}", layers,
                        block_count == 0 ? 0 : block_count - 1);
  }
  return text + "; `qbuild inspect` on a built variant lists their names";
}

// Indexes of the tensors that the rule takes; at least one.
std::vector<std::size_t> matches_of(const Override& rule, std::span<const TensorSpec> tensors,
                                    std::string_view architecture, std::uint32_t block_count) {
  const manifests::TensorPattern pattern(rule.match);
  std::vector<std::size_t> matched;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (is_quantizable(tensors[i], architecture) && in_layers(rule, tensors[i].name, block_count) &&
        pattern.is_in(tensors[i].name))
      matched.push_back(i);
  if (matched.empty()) throw Error(ErrorKind::kInvalidInput, no_match_text(rule, block_count));
  return matched;
}

}  // namespace

std::vector<const Override*> match_overrides(std::span<const Override> overrides,
                                             std::span<const TensorSpec> tensors,
                                             std::string_view architecture,
                                             std::uint32_t block_count) {
  std::vector<const Override*> chosen(tensors.size(), nullptr);
  for (const Override& rule : overrides)
    for (const std::size_t i : matches_of(rule, tensors, architecture, block_count))
      if (chosen[i] == nullptr) chosen[i] = &rule;
  return chosen;
}

}  // namespace qbuild::rules
