#include "engine/build_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

using ::testing::ElementsAre;

// 0 and 1 are free; 2 needs both; 3 needs 2; 4 is free and not needed.
Graph diamond() {
  Graph graph;
  for (int i = 0; i < 5; ++i) {
    Node node;
    node.target = std::to_string(i);
    if (i == 2)
      node.inputs = {{.label = "a", .from = NodeId{0}}, {.label = "b", .from = NodeId{1}}};
    if (i == 3) node.inputs = {{.label = "a", .from = NodeId{2}}};
    graph.add(std::move(node));
  }
  graph.finish();
  return graph;
}

class BuildStatesTest : public ::testing::Test {
 protected:
  Graph graph = diamond();
  std::vector<NodeId> goals{NodeId{3}};
  BuildStates states{graph, graph.needed_for(goals)};
};

TEST_F(BuildStatesTest, BeginsWithWhatNeedsNothing) {
  EXPECT_EQ(states.count(BuildState::kDecidable), 2u);
  EXPECT_EQ(states.count(BuildState::kWaiting), 2u);
  EXPECT_EQ(states.next_decidable(), NodeId{0});
}

TEST_F(BuildStatesTest, ConsumerIsDecidableWhenItsLastInputIsSettled) {
  states.set(NodeId{0}, BuildState::kSettled);
  EXPECT_EQ(states.get(NodeId{2}), BuildState::kWaiting);
  states.set(NodeId{1}, BuildState::kSettled);
  EXPECT_EQ(states.get(NodeId{2}), BuildState::kDecidable);
  states.set(NodeId{2}, BuildState::kSettled);
  states.set(NodeId{3}, BuildState::kSettled);
  EXPECT_TRUE(states.all_settled());
}

TEST_F(BuildStatesTest, IsWaitedForByAConsumerThatNeedsNothingElseAndComesBeforeTheQueue) {
  states.set_priorities({1, 5, 3, 2, 0});
  EXPECT_FALSE(states.is_waited_for(NodeId{0}));  // 2 waits for 1 as well
  states.set(NodeId{1}, BuildState::kQueued);
  states.set(NodeId{1}, BuildState::kRunning);
  states.set(NodeId{0}, BuildState::kSettled);
  EXPECT_TRUE(states.is_waited_for(NodeId{1}));
  EXPECT_FALSE(states.is_waited_for(NodeId{3}));  // nobody does
}

TEST_F(BuildStatesTest, IsNotWaitedForWhereTheQueueHasMoreUrgentThings) {
  states.set_priorities({4, 5, 3, 2, 0});
  EXPECT_TRUE(states.is_waited_for(NodeId{2}));
  states.set(NodeId{0}, BuildState::kQueued);
  EXPECT_FALSE(states.is_waited_for(NodeId{2}));
  states.set(NodeId{0}, BuildState::kRunning);
  EXPECT_TRUE(states.is_waited_for(NodeId{2}));
}

TEST_F(BuildStatesTest, QueueFollowsPrioritiesThenIds) {
  states.set_priorities({1, 2, 0, 0, 0});
  states.set(NodeId{0}, BuildState::kQueued);
  states.set(NodeId{1}, BuildState::kQueued);
  EXPECT_THAT(states.queued(), ElementsAre(NodeId{1}, NodeId{0}));
  states.set(NodeId{1}, BuildState::kRunning);
  EXPECT_THAT(states.queued(), ElementsAre(NodeId{0}));
  states.set(NodeId{1}, BuildState::kDelayed);
  states.set(NodeId{1}, BuildState::kQueued);
  EXPECT_EQ(states.count(BuildState::kQueued), 2u);
}

TEST_F(BuildStatesTest, SettlingAWaitingNodeKeepsTheCountersTrue) {
  states.set(NodeId{2}, BuildState::kSettled);
  EXPECT_EQ(states.get(NodeId{3}), BuildState::kDecidable);
  states.set(NodeId{0}, BuildState::kSettled);
  states.set(NodeId{1}, BuildState::kSettled);
  EXPECT_EQ(states.get(NodeId{2}), BuildState::kSettled);
  EXPECT_EQ(states.count(BuildState::kSettled), 3u);
}

using BuildStatesDeathTest = BuildStatesTest;

TEST_F(BuildStatesDeathTest, RefusesWaysThatAreNotDrawn) {
  EXPECT_DEATH(states.set(NodeId{0}, BuildState::kRunning), "a node goes the way");
  EXPECT_DEATH(states.set(NodeId{4}, BuildState::kSettled), "only needed nodes");
  states.set(NodeId{0}, BuildState::kSettled);
  EXPECT_DEATH(states.set(NodeId{0}, BuildState::kSettled), "a node goes the way");
}

}  // namespace
}  // namespace qbuild::engine
