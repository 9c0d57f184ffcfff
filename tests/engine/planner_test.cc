#include "engine/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> order(const FakeBuild& build, const Plan& plan) {
  std::vector<std::string> targets;
  for (const PlanEntry& entry : plan.entries)
    targets.push_back(build.graph.node(entry.node).target);
  return targets;
}

TEST(Planner, ListsInTheOrderOfTheRun) {
  FakeBuild build;
  build.options.jobs = 1;
  const NodeId a = build.action("a", "1");
  const NodeId b = build.action("b", "2");
  const NodeId c = build.action("c", "3", {b});
  build.node(a).expected_seconds = 2;
  build.node(b).expected_seconds = 1;
  build.node(c).expected_seconds = 4;
  const std::vector<std::string> planned = order(build, build.plan());
  EXPECT_THAT(planned, ElementsAre("b", "c", "a"));
  static_cast<void>(build.run());
  EXPECT_EQ(build.take_ran(), planned);
}

TEST(Planner, NamesEveryInputThatRuns) {
  FakeBuild build;
  const NodeId a = build.action("a", "1");
  const NodeId b = build.action("b", "2");
  static_cast<void>(build.action("c", "3", {a, b}));
  EXPECT_EQ(build.why("c"),
            (Explanation{.kind = Explanation::Kind::kUpstream, .upstream = {"a", "b"}}));
}

TEST(Planner, CheckOverWhatRunsIsOpen) {
  FakeBuild build;
  const NodeId a = build.action("a", "1");
  const NodeId gate = build.check("gate", {a}, "always");
  EXPECT_EQ(build.plan().find(gate)->state, PlanState::kMayRun);
  static_cast<void>(build.run());
  EXPECT_EQ(build.plan().find(gate)->state, PlanState::kHeld);
}

TEST(Planner, InputThatOnlyOrdersDoesNotMakeTheKeyUnknown) {
  FakeBuild build;
  const NodeId a = build.action("a", "1");
  const NodeId b = build.action("b", "2", {a});
  build.node(b).inputs[0].projection.kind = Projection::Kind::kNothing;
  static_cast<void>(build.run());
  build.node(a).params["text"] = "changed";
  EXPECT_EQ(build.plan().find(b)->state, PlanState::kCurrent);
}

TEST(Planner, ErrorSaysWhichTarget) {
  FakeBuild build;
  const NodeId a = build.action("a", "1");
  const NodeId gate = build.check("gate", {a}, std::nullopt);
  build.node(gate).judge = [](auto) -> Verdict { throw Error(ErrorKind::kCorrupt, "no number"); };
  static_cast<void>(build.run());
  try {
    static_cast<void>(build.plan());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "gate: no number");
  }
}

}  // namespace
}  // namespace qbuild::engine::testing
