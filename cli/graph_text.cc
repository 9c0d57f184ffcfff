#include "cli/graph_text.h"

#include <fmt/core.h>

namespace qbuild::cli {
namespace {

using engine::Graph;
using engine::Needs;
using engine::NodeId;
using engine::NodeKind;

std::string_view kind_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::kSource:
      return "source";
    case NodeKind::kAction:
      return "action";
    case NodeKind::kCheck:
      return "check";
  }
  return "action";
}

// For the quoted strings of DOT.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// For those of Mermaid, which knows entities alone.
std::string with_entities(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '"' ? std::string("#quot;") : std::string(1, c);
  return out;
}

std::string dot(const Graph& graph, std::span<const NodeId> nodes) {
  std::string text = "digraph qbuild {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const NodeId id : nodes) {
    const engine::Node& node = graph.node(id);
    const std::string_view shape = node.kind == NodeKind::kSource  ? "note"
                                   : node.kind == NodeKind::kCheck ? "diamond"
                                                                   : "box";
    text += fmt::format("  n{} [label=\"{}\", shape={}];\n", id.value, escaped(node.target), shape);
  }
  for (const NodeId id : nodes)
    for (const engine::Input& input : graph.node(id).inputs)
      text += fmt::format("  n{} -> n{}{};\n", input.from.value, id.value,
                          input.needs == Needs::kReadyOrHeld ? " [style=dashed]" : "");
  return text + "}\n";
}

std::string mermaid(const Graph& graph, std::span<const NodeId> nodes) {
  std::string text = "graph LR\n";
  for (const NodeId id : nodes) {
    const engine::Node& node = graph.node(id);
    const bool check = node.kind == NodeKind::kCheck;
    text += fmt::format("  n{}{}\"{}\"{}\n", id.value, check ? "{" : "[",
                        with_entities(node.target), check ? "}" : "]");
  }
  for (const NodeId id : nodes)
    for (const engine::Input& input : graph.node(id).inputs)
      text += fmt::format("  n{} {} n{}\n", input.from.value,
                          input.needs == Needs::kReadyOrHeld ? "-.->" : "-->", id.value);
  return text;
}

std::string json(const Graph& graph, std::span<const NodeId> nodes) {
  Json list = Json::array();
  for (const NodeId id : nodes) {
    const engine::Node& node = graph.node(id);
    Json inputs = Json::array();
    for (const engine::Input& input : node.inputs)
      inputs.push_back(Json::object({{"label", input.label},
                                     {"from", graph.node(input.from).target},
                                     {"soft", input.needs == Needs::kReadyOrHeld}}));
    Json entry = Json::object({{"target", node.target}, {"kind", kind_name(node.kind)}});
    if (node.kind == NodeKind::kAction) entry["rule"] = node.rule;
    entry["inputs"] = std::move(inputs);
    list.push_back(std::move(entry));
  }
  return Json::object({{"nodes", std::move(list)}}).dump_pretty();
}

}  // namespace

std::string graph_text(const Graph& graph, std::span<const NodeId> nodes, std::string_view format) {
  if (format == "mermaid") return mermaid(graph, nodes);
  if (format == "json") return json(graph, nodes);
  return dot(graph, nodes);
}

}  // namespace qbuild::cli
