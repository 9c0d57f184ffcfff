#include "engine/graph.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/depth_first_search.hpp>
#include <queue>

#include "base/check.h"
#include "base/error.h"

namespace qbuild::engine {
namespace {

using Dag = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
using Vertex = boost::graph_traits<Dag>::vertex_descriptor;

// Keeps the way from the root of the search, so that a back edge can be shown as the cycle it
// closes.
class CycleFinder : public boost::dfs_visitor<> {
 public:
  CycleFinder(std::vector<Vertex>& path, std::vector<Vertex>& cycle)
      : path_(&path), cycle_(&cycle) {}

  void discover_vertex(Vertex vertex, const Dag& /*dag*/) { path_->push_back(vertex); }
  void finish_vertex(Vertex /*vertex*/, const Dag& /*dag*/) { path_->pop_back(); }
  void back_edge(const boost::graph_traits<Dag>::edge_descriptor& edge, const Dag& dag) {
    if (!cycle_->empty()) return;
    const Vertex again = boost::target(edge, dag);
    cycle_->assign(std::find(path_->begin(), path_->end(), again), path_->end());
    cycle_->push_back(again);
  }

 private:
  std::vector<Vertex>* path_;
  std::vector<Vertex>* cycle_;
};

// From inputs to consumers.
Dag make_dag(std::span<const Node> nodes) {
  Dag dag(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const Input& input : nodes[i].inputs) boost::add_edge(input.from.value, i, dag);
  }
  return dag;
}

void refuse_cycle(const Dag& dag, std::span<const Node> nodes) {
  std::vector<Vertex> path;
  std::vector<Vertex> cycle;
  boost::depth_first_search(dag, boost::visitor(CycleFinder(path, cycle)));
  if (cycle.empty()) return;
  std::string shown;
  for (const Vertex vertex : cycle) {
    if (!shown.empty()) shown += " -> ";
    shown += nodes[vertex].target;
  }
  throw Error(
      ErrorKind::kInvalidInput,
      fmt::format("targets need each other in a circle: {}; remove one of these inputs", shown));
}

}  // namespace

NodeId Graph::add(Node node) {
  const NodeId id{static_cast<std::uint32_t>(nodes_.size())};
  if (!by_target_.emplace(node.target, id).second) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("two targets are named \"{}\"; rename one of them", node.target));
  }
  nodes_.push_back(std::move(node));
  return id;
}

void Graph::finish() {
  for (const Node& node : nodes_) {
    for (const Input& input : node.inputs) {
      check(input.from.value < nodes_.size(), "an input names a node of its graph");
    }
  }
  const Dag dag = make_dag(nodes_);
  refuse_cycle(dag, nodes_);

  // Boost's topological sort promises no order among equals; this one takes the lowest id.
  consumers_.assign(nodes_.size(), {});
  std::vector<std::size_t> waits_for(nodes_.size(), 0);
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    for (const Input& input : nodes_[i].inputs) {
      consumers_[input.from.value].push_back(NodeId{i});
      ++waits_for[i];
    }
  }
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    if (waits_for[i] == 0) ready.push(NodeId{i});
  }
  order_.clear();
  while (!ready.empty()) {
    const NodeId id = ready.top();
    ready.pop();
    order_.push_back(id);
    for (const NodeId consumer : consumers_[id.value]) {
      if (--waits_for[consumer.value] == 0) ready.push(consumer);
    }
  }
  check(order_.size() == nodes_.size(), "a graph without cycles has an order");
  for (std::vector<NodeId>& list : consumers_) {
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
}

std::span<const NodeId> Graph::consumers(NodeId id) const {
  return consumers_[id.value];
}

std::vector<NodeId> Graph::needed_for(std::span<const NodeId> goals) const {
  std::vector<bool> needed(nodes_.size(), false);
  for (const NodeId goal : goals) needed[goal.value] = true;
  for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
    if (!needed[id->value]) continue;
    for (const Input& input : nodes_[id->value].inputs) needed[input.from.value] = true;
  }
  std::vector<NodeId> found;
  for (const NodeId id : order_) {
    if (needed[id.value]) found.push_back(id);
  }
  return found;
}

std::optional<NodeId> Graph::find(std::string_view target) const {
  const auto found = by_target_.find(target);
  if (found == by_target_.end()) return std::nullopt;
  return found->second;
}

}  // namespace qbuild::engine
