#pragma once
// Which of several ready actions goes first: the one with the longest way to a goal below it.

#include <span>
#include <vector>

#include "engine/environment.h"
#include "engine/graph.h"

namespace qbuild::engine {

// Seconds an action is expected to take: the median of this machine's history of the target, else
// the graph's own guess. 0 for sources and checks.
[[nodiscard]] double expected_seconds(const Environment& environment, const Node& node);

// For every node of the graph the seconds from its start to the end of the longest chain below it,
// within `needed`; 0 outside.
//   seconds  by node id
[[nodiscard]] std::vector<double> critical_paths(const Graph& graph, std::span<const NodeId> needed,
                                                 std::span<const double> seconds);

// The order in which one worker would take them: inputs first, then the longest critical path, then
// the lowest id.
[[nodiscard]] std::vector<NodeId> start_order(const Graph& graph, std::span<const NodeId> needed,
                                              std::span<const double> critical_path);

}  // namespace qbuild::engine
