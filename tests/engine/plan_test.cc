#include "engine/plan.h"

#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

TEST(Plan, IsJsonWithoutSources) {
  Graph graph;
  Node source;
  source.kind = NodeKind::kSource;
  source.target = "source";
  Node check;
  check.kind = NodeKind::kCheck;
  check.target = "gate";
  Node action;
  action.target = "quant";
  action.rule = "quantize";
  graph.add(source);
  graph.add(check);
  graph.add(action);
  graph.finish();
  Plan plan;
  plan.entries = {{.node = NodeId{0}},
                  {.node = NodeId{2}, .state = PlanState::kRuns, .expected_seconds = 1.5},
                  {.node = NodeId{1},
                   .state = PlanState::kHeld,
                   .explanation = {.kind = Explanation::Kind::kHeld, .detail = "too bad"}}};
  EXPECT_EQ(to_json(plan, graph).dump(),
            R"({"targets":[{"target":"quant","rule":"quantize","state":"runs",)"
            R"("why":{"kind":"never_built","summary":"never built"},"expected_seconds":1.5},)"
            R"({"target":"gate","rule":"check","state":"held",)"
            R"("why":{"kind":"held","summary":"held: too bad","detail":"too bad"}}],)"
            R"("current":0,"runs":1,"may_run":0,"held":1})");
  EXPECT_EQ(plan.count(PlanState::kHeld), 1u);
  EXPECT_EQ(plan.find(NodeId{1})->state, PlanState::kHeld);
  EXPECT_EQ(plan.find(NodeId{9}), nullptr);
}

}  // namespace
}  // namespace qbuild::engine
