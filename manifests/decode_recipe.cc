#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "manifests/decode.h"
#include "manifests/quant_names.h"

namespace qbuild::manifests {
namespace {

constexpr std::size_t kMaxRanges = 64;
constexpr std::int32_t kMaxLayer = 100000;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<std::int32_t> layer_number(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < -kMaxLayer || value > kMaxLayer) return std::nullopt;
  return value;
}

// "3", "-1", "0-3", "-4..-1"
std::optional<LayerRange> layer_range(std::string_view text) {
  std::string_view first = text;
  std::string_view last = text;
  if (const auto dots = text.find(".."); dots != std::string_view::npos) {
    first = text.substr(0, dots);
    last = text.substr(dots + 2);
  } else if (const auto dash = text.find('-', 1); dash != std::string_view::npos) {
    first = text.substr(0, dash);
    last = text.substr(dash + 1);
  }
  const auto from = layer_number(trimmed(first));
  const auto to = layer_number(trimmed(last));
  if (!from || !to) return std::nullopt;
  // 3..-1 depends on how many layers there are; 5-2 is a slip.
  const bool comparable = (*from < 0) == (*to < 0);
  if (comparable && *from > *to) return std::nullopt;
  return LayerRange{*from, *to};
}

std::vector<LayerRange> layer_ranges(const YamlNode& layers, const Scope& scope) {
  std::vector<LayerRange> ranges;
  std::string_view rest = layers.text;
  while (true) {
    const auto comma = rest.find(',');
    const auto range = layer_range(trimmed(rest.substr(0, comma)));
    if (!range || ranges.size() == kMaxRanges) {
      scope.diagnostics.add(layers.at,
                            fmt::format("{} is no list of layers; write them as in \"0-3,-4..-1\"",
                                        quote(layers.text)));
      return {};
    }
    ranges.push_back(*range);
    if (comma == std::string_view::npos) return ranges;
    rest = rest.substr(comma + 1);
  }
}

}  // namespace

std::optional<RecipeRule> decode_rule(const YamlNode& rule, const Scope& scope) {
  RecipeRule decoded;
  decoded.at = rule.at;
  const auto match = scope.text(rule, Section::kRule, "match");
  const auto type = scope.text(rule, Section::kRule, "type");
  if (const YamlNode* const layers = scope.value(rule, Section::kRule, "layers"))
    decoded.layers = layer_ranges(*layers, scope);
  if (match) {
    if (const auto problem = scope.load.patterns.problem(match->text)) {
      const std::string message = fmt::format("{} {}", quote(match->text), *problem);
      if (scope.load.patterns.are_too_many())
        scope.load.budget.refuse(match->at, message);
      else
        scope.diagnostics.add(match->at, message);
      return std::nullopt;
    }
  }
  // check_shape has named an unknown type.
  const auto dtype = type ? tensor_type(type->text) : std::nullopt;
  if (!match || !dtype) return std::nullopt;
  const std::size_t size = sizeof(RecipeRule) + decoded.layers.size() * sizeof(LayerRange);
  if (!scope.load.budget.keep(rule.at, size)) return std::nullopt;
  decoded.match = match->text;
  decoded.type = *dtype;
  return decoded;
}

}  // namespace qbuild::manifests
