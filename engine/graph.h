#pragma once
// The build graph: nodes in a vector, edges from their inputs, a DAG on Boost.Graph (behind
// graph.cc).

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/node.h"

namespace qbuild::engine {

class Graph {
 public:
  // Inputs may name nodes that are added later; finish() checks. A second node with the same target
  // is an Error (kInvalidInput).
  NodeId add(Node node);

  // Call once, after the last add. Throws Error (kInvalidInput) that shows a cycle: "a -> b -> a".
  void finish();

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[id.value]; }
  [[nodiscard]] Node& node(NodeId id) { return nodes_[id.value]; }
  [[nodiscard]] std::span<const Node> nodes() const { return nodes_; }

  // After finish(): inputs before consumers, lowest id first among equals.
  [[nodiscard]] std::span<const NodeId> topological_order() const { return order_; }
  [[nodiscard]] std::span<const NodeId> consumers(NodeId id) const;
  // Goals and everything below them, in topological order.
  [[nodiscard]] std::vector<NodeId> needed_for(std::span<const NodeId> goals) const;
  [[nodiscard]] std::optional<NodeId> find(std::string_view target) const;

 private:
  std::vector<Node> nodes_;
  std::vector<NodeId> order_;
  std::vector<std::vector<NodeId>> consumers_;
  std::map<std::string, NodeId, std::less<>> by_target_;
};

}  // namespace qbuild::engine
