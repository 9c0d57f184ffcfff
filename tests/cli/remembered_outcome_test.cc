#include "cli/remembered_outcome.h"

#include <gmock/gmock.h>

namespace qbuild::cli {
namespace {

using engine::NodeKind;
using engine::Status;
using ::testing::SizeIs;

engine::NodeId add(engine::Graph& graph, NodeKind kind, const std::string& target) {
  engine::Node node;
  node.kind = kind;
  node.target = target;
  if (kind == NodeKind::kAction) node.rule = "quality";
  return graph.add(std::move(node));
}

TEST(RememberedOutcome, SaysWhatTheRunSaid) {
  engine::Graph graph;
  engine::RunReport report;
  report.nodes[add(graph, NodeKind::kSource, "b:source")].status = Status::kReady;
  report.nodes[add(graph, NodeKind::kAction, "b:Q8_0")].status = Status::kReady;
  const auto gate = add(graph, NodeKind::kCheck, "b:Q8_0:gate");
  report.nodes[gate].status = Status::kHeld;
  report.nodes[gate].reason = "too \"bad\"";
  report.nodes[add(graph, NodeKind::kAction, "b:card")].status = Status::kHeld;
  graph.finish();

  const auto again = remembered_outcome(to_text(outcome_to_remember(report, graph, "table\n")));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text, "table\n");
  const auto events = events_of(*again, 3, 0.5);
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_EQ(std::get<engine::RunStarted>(events[0]).actions, 2u);
  const auto& held = std::get<engine::ActionFinished>(events[1]);
  EXPECT_EQ(held.target, "b:Q8_0:gate");
  EXPECT_EQ(held.rule, "check");
  EXPECT_EQ(held.reason, "too \"bad\"");
  const auto& end = std::get<engine::RunFinished>(events[3]);
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.counters.reused, 1u);
  EXPECT_EQ(end.counters.held, 2u);
  EXPECT_EQ(end.counters.executed, 0u);
}

TEST(RememberedOutcome, ATextOfAnotherVersionIsNone) {
  const std::string whole = to_text({.text = "table", .held = {}});
  EXPECT_TRUE(remembered_outcome(whole));
  for (const std::string& text :
       {std::string(), std::string("table\n"), std::string("{}"), whole + "x",
        whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() - 1) + "\x7f"})
    EXPECT_FALSE(remembered_outcome(text)) << text;
}

}  // namespace
}  // namespace qbuild::cli
