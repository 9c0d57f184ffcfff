#include "engine/priority.h"

#include <algorithm>
#include <set>

#include "cache/index.h"

namespace qbuild::engine {

double expected_seconds(const Environment& environment, const Node& node) {
  if (node.kind != NodeKind::kAction) return 0;
  if (environment.index != nullptr) {
    const std::optional<double> known = environment.index->expected_seconds(node.rule, node.target);
    if (known) return *known;
  }
  return node.expected_seconds;
}

std::vector<double> critical_paths(const Graph& graph, std::span<const NodeId> needed,
                                   std::span<const double> seconds) {
  std::vector<bool> is_needed(graph.size(), false);
  for (const NodeId id : needed) is_needed[id.value] = true;
  std::vector<double> path(graph.size(), 0);
  const std::span<const NodeId> order = graph.topological_order();
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    if (!is_needed[id->value]) continue;
    double below = 0;
    for (const NodeId consumer : graph.consumers(*id))
      below = std::max(below, path[consumer.value]);
    path[id->value] = seconds[id->value] + below;
  }
  return path;
}

std::vector<NodeId> start_order(const Graph& graph, std::span<const NodeId> needed,
                                std::span<const double> critical_path) {
  std::vector<std::size_t> waits_for(graph.size(), 0);
  std::vector<bool> is_needed(graph.size(), false);
  for (const NodeId id : needed) is_needed[id.value] = true;
  const auto is_first = [&](NodeId a, NodeId b) {
    if (critical_path[a.value] != critical_path[b.value]) {
      return critical_path[a.value] > critical_path[b.value];
    }
    return a < b;
  };
  std::set<NodeId, decltype(is_first)> ready(is_first);
  for (const NodeId id : needed) {
    waits_for[id.value] = graph.node(id).inputs.size();
    if (waits_for[id.value] == 0) ready.insert(id);
  }
  std::vector<NodeId> order;
  while (!ready.empty()) {
    const NodeId id = *ready.begin();
    ready.erase(ready.begin());
    order.push_back(id);
    for (const NodeId consumer : graph.consumers(id)) {
      if (!is_needed[consumer.value]) continue;
      for (const Input& input : graph.node(consumer).inputs) {
        if (input.from == id && --waits_for[consumer.value] == 0) ready.insert(consumer);
      }
    }
  }
  return order;
}

}  // namespace qbuild::engine
