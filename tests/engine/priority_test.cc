#include "engine/priority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

using ::testing::ElementsAre;

// 0 -> 1 -> 3, 0 -> 2 -> 3
Graph diamond() {
  Graph graph;
  for (std::uint32_t i = 0; i < 4; ++i) {
    Node node;
    node.target = std::to_string(i);
    if (i == 1 || i == 2) node.inputs = {{.label = "a", .from = NodeId{0}}};
    if (i == 3)
      node.inputs = {{.label = "a", .from = NodeId{1}}, {.label = "b", .from = NodeId{2}}};
    graph.add(std::move(node));
  }
  graph.finish();
  return graph;
}

TEST(Priority, CriticalPathIsTheLongestWayDown) {
  const Graph graph = diamond();
  const std::vector<NodeId> goals{NodeId{3}};
  const std::vector<double> seconds{1, 2, 5, 10};
  EXPECT_THAT(critical_paths(graph, graph.needed_for(goals), seconds), ElementsAre(16, 12, 15, 10));
}

TEST(Priority, WhatIsNotNeededDoesNotCount) {
  const Graph graph = diamond();
  const std::vector<NodeId> goals{NodeId{1}};
  const std::vector<double> seconds{1, 2, 5, 10};
  EXPECT_THAT(critical_paths(graph, graph.needed_for(goals), seconds), ElementsAre(3, 2, 0, 0));
}

TEST(Priority, StartsInputsFirstThenLongestThenLowestId) {
  const Graph graph = diamond();
  const std::vector<NodeId> goals{NodeId{3}};
  const std::vector<NodeId> needed = graph.needed_for(goals);
  EXPECT_THAT(start_order(graph, needed, std::vector<double>{9, 1, 2, 0}),
              ElementsAre(NodeId{0}, NodeId{2}, NodeId{1}, NodeId{3}));
  EXPECT_THAT(start_order(graph, needed, std::vector<double>{9, 1, 1, 0}),
              ElementsAre(NodeId{0}, NodeId{1}, NodeId{2}, NodeId{3}));
}

}  // namespace
}  // namespace qbuild::engine
