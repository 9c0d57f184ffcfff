#include <fmt/core.h>

#include <map>

#include "manifests/decode.h"

namespace qbuild::manifests {
namespace {

std::vector<const YamlNode*> text_nodes(const YamlNode& benchmark, const Scope& scope) {
  std::vector<const YamlNode*> nodes;
  const YamlNode* const perplexity = scope.value(benchmark, Section::kBenchmark, "perplexity");
  if (perplexity == nullptr) return nodes;
  if (perplexity->is_mapping()) nodes.push_back(perplexity);
  for (const YamlNode& item : perplexity->items)
    if (item.is_mapping()) nodes.push_back(&item);
  return nodes;
}

// Nothing after a diagnostic.
std::optional<PerplexityText> decode_text(const YamlNode& node, const Scope& scope) {
  PerplexityText decoded;
  decoded.at = node.at;
  if (node.find("text") == nullptr) {
    scope.diagnostics.add(node.at, "a perplexity benchmark needs the key \"text\"");
    return std::nullopt;
  }
  auto path = scope.path(node, Section::kPerplexity, "text");
  if (!path) return std::nullopt;
  decoded.text = std::move(*path);
  const auto name = scope.text(node, Section::kPerplexity, "name");
  if (name) {
    if (!scope.check_name("a text", *name)) return std::nullopt;
    decoded.name = name->text;
  } else {
    decoded.name = decoded.text.path.stem().string();
    if (name_problem(decoded.name)) {
      scope.diagnostics.add(decoded.text.at,
                            "this text needs a \"name\": none follows from its file");
      return std::nullopt;
    }
  }
  const YamlNode* const context = node.find("context");
  decoded.context_at = context == nullptr ? node.at : context->at;
  decoded.context = scope.whole(node, Section::kPerplexity, "context").value_or(decoded.context);
  decoded.chunks = scope.whole(node, Section::kPerplexity, "chunks").value_or(decoded.chunks);
  return decoded;
}

// All texts of a benchmark are evaluated in one go, one way.
Activations decode_activations(const std::vector<const YamlNode*>& nodes, const Scope& scope) {
  std::optional<std::string> first;
  for (const YamlNode* const node : nodes) {
    const auto text = scope.text(*node, Section::kPerplexity, "activations");
    const std::string value = text ? text->text : "packed";
    if (first && value != *first)
      scope.diagnostics.add(text ? text->at : node->at,
                            fmt::format("\"activations\" must be the same for all texts; the first "
                                        "one has {}",
                                        quote(*first)));
    if (!first) first = value;
  }
  return first == "f32" ? Activations::kF32 : Activations::kPacked;
}

std::optional<Throughput> decode_throughput(const YamlNode& benchmark, const Scope& scope) {
  const YamlNode* const node = scope.value(benchmark, Section::kBenchmark, "throughput");
  if (node == nullptr || !node->is_mapping()) return std::nullopt;
  Throughput decoded;
  decoded.at = decoded.tokens_at = node->at;
  for (const std::string_view key : {"prompt", "generate"})
    if (const YamlNode* const tokens = node->find(key)) decoded.tokens_at = tokens->at;
  decoded.prompt = scope.whole(*node, Section::kThroughput, "prompt").value_or(decoded.prompt);
  decoded.generate =
      scope.whole(*node, Section::kThroughput, "generate").value_or(decoded.generate);
  decoded.repeat = scope.whole(*node, Section::kThroughput, "repeat").value_or(decoded.repeat);
  return decoded;
}

}  // namespace

Benchmark decode_benchmark(const YamlNode& benchmark, const Scope& scope) {
  Benchmark decoded;
  const auto nodes = text_nodes(benchmark, scope);
  std::map<std::string, Place> names;  // folded
  for (const YamlNode* const node : nodes) {
    auto text = decode_text(*node, scope);
    if (!text) continue;
    const auto [first, is_new] = names.emplace(folded(text->name), text->at);
    if (is_new)
      decoded.texts.push_back(std::move(*text));
    else
      scope.diagnostics.add(
          text->at, fmt::format("the text {} stands twice; the first is at {}; give one of "
                                "them a \"name\"",
                                quote(text->name), scope.diagnostics.place_text(first->second)));
  }
  decoded.activations = decode_activations(nodes, scope);
  decoded.throughput = decode_throughput(benchmark, scope);
  if (!decoded.texts.empty() || decoded.throughput) decoded.declaration = one_line(benchmark);
  return decoded;
}

std::vector<Gate> decode_gates(const YamlNode& gates, const Scope& scope) {
  std::vector<Gate> decoded;
  for (const YamlMember& member : gates.members) {
    if (find_key(Section::kGates, member.key) == nullptr || !member.value.is_mapping()) continue;
    Gate gate;
    gate.metric = member.key;
    gate.at = member.at;
    if (const YamlNode* const min = scope.value(member.value, Section::kBounds, "min"))
      gate.min = min->as_number();
    if (const YamlNode* const max = scope.value(member.value, Section::kBounds, "max"))
      gate.max = max->as_number();
    if (gate.min && gate.max && *gate.min > *gate.max)
      scope.diagnostics.add(
          member.value.at,
          fmt::format("nothing passes the gate \"{}\": its min is above its max", gate.metric));
    if (gate.min || gate.max) decoded.push_back(std::move(gate));
  }
  return decoded;
}

}  // namespace qbuild::manifests
