#include "engine/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace qbuild::engine {
namespace {

using ::testing::ElementsAre;

Node node(const std::string& target, const std::vector<std::uint32_t>& inputs) {
  Node made;
  made.target = target;
  for (const std::uint32_t from : inputs) {
    made.inputs.push_back({.label = "in" + std::to_string(from), .from = NodeId{from}});
  }
  return made;
}

std::string finish_error(Graph& graph) {
  try {
    graph.finish();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(Graph, OrdersInputsFirstAndLowestIdAmongEquals) {
  Graph graph;
  graph.add(node("d", {3}));
  graph.add(node("c", {}));
  graph.add(node("b", {}));
  graph.add(node("a", {2}));
  graph.finish();
  EXPECT_THAT(graph.topological_order(), ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}, NodeId{0}));
  EXPECT_THAT(graph.consumers(NodeId{2}), ElementsAre(NodeId{3}));
}

TEST(Graph, ShowsTheCycle) {
  Graph graph;
  graph.add(node("start", {}));
  graph.add(node("a", {0, 3}));
  graph.add(node("b", {1}));
  graph.add(node("c", {2}));
  EXPECT_EQ(finish_error(graph),
            "targets need each other in a circle: a -> b -> c -> a; remove one of these inputs");
}

TEST(Graph, NodeThatNeedsItselfIsACycle) {
  Graph graph;
  graph.add(node("a", {0}));
  EXPECT_EQ(finish_error(graph),
            "targets need each other in a circle: a -> a; remove one of these inputs");
}

TEST(Graph, RefusesASecondTargetOfOneName) {
  Graph graph;
  graph.add(node("a", {}));
  try {
    graph.add(node("a", {}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "two targets are named \"a\"; rename one of them");
  }
}

TEST(Graph, NeedsWhatIsBelowTheGoalsOnly) {
  Graph graph;
  graph.add(node("a", {}));
  graph.add(node("b", {0}));
  graph.add(node("c", {0}));
  graph.finish();
  const std::vector<NodeId> goals{NodeId{2}};
  EXPECT_THAT(graph.needed_for(goals), ElementsAre(NodeId{0}, NodeId{2}));
  EXPECT_EQ(graph.find("c"), NodeId{2});
  EXPECT_EQ(graph.find("nobody"), std::nullopt);
}

TEST(Graph, TwoInputsFromOneNodeAreOneConsumer) {
  Graph graph;
  graph.add(node("a", {}));
  Node twice = node("b", {0});
  twice.inputs.push_back({.label = "again", .from = NodeId{0}});
  graph.add(twice);
  graph.finish();
  EXPECT_THAT(graph.consumers(NodeId{0}), ElementsAre(NodeId{1}));
  EXPECT_EQ(graph.topological_order().size(), 2u);
}

TEST(Graph, DeepChainsDoNotOverflowTheStack) {
  Graph graph;
  constexpr std::uint32_t kDepth = 20'000;
  graph.add(node("0", {}));
  for (std::uint32_t i = 1; i < kDepth; ++i) graph.add(node(std::to_string(i), {i - 1}));
  graph.finish();
  EXPECT_EQ(graph.topological_order().size(), kDepth);
}

}  // namespace
}  // namespace qbuild::engine
