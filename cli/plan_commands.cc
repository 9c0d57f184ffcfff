#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/graph_text.h"
#include "cli/table.h"
#include "rules/display.h"

namespace qbuild::cli {
namespace {

engine::Plan make_plan(Session& session) {
  const auto goals = rules::select_goals(session.lowered(), session.options().operands, rules::WithPublish::kYes);
  engine::Plan plan = session.builder().plan(session.lowered().graph, goals);
  (void)session.state().save(session.stats());  // hashes that were computed need not be computed again
  return plan;
}

void print_notes(const rules::Lowered& lowered) {
  for (const rules::ModelTargets& model : lowered.models)
    for (const rules::VariantTargets& variant : model.variants)
      for (const std::string& note : variant.notes) fmt::print("note: {}: {}\n", model.name, note);
}

}  // namespace

int run_plan(Session& session) {
  const engine::Plan plan = make_plan(session);
  const engine::Graph& graph = session.lowered().graph;
  if (session.options().json) {
    fmt::print("{}", engine::to_json(plan, graph).dump_pretty());
    return 0;
  }
  Table table({"state", "target", ">expected", "why"});
  for (const engine::PlanEntry& entry : plan.entries) {
    const engine::Node& node = graph.node(entry.node);
    if (node.kind != engine::NodeKind::kAction) continue;
    const bool waits = entry.state == engine::PlanState::kRuns || entry.state == engine::PlanState::kMayRun;
    table.add({std::string(engine::plan_state_name(entry.state)), node.target,
               waits ? rules::display_seconds(entry.expected_seconds) : "",
               entry.state == engine::PlanState::kCurrent ? "" : engine::summarize(entry.explanation)});
  }
  fmt::print("{}", table.text());
  print_notes(session.lowered());
  fmt::print("{} current, {} run, {} may run, {} held\n", plan.count(engine::PlanState::kCurrent),
             plan.count(engine::PlanState::kRuns), plan.count(engine::PlanState::kMayRun),
             plan.count(engine::PlanState::kHeld));
  return 0;
}

int run_why(Session& session) {
  const engine::Graph& graph = session.lowered().graph;
  const engine::Plan plan = make_plan(session);
  bool first = true;
  std::size_t shown = 0;
  for (const engine::NodeId id :
       rules::select_goals(session.lowered(), session.options().operands, rules::WithPublish::kYes)) {
    const engine::PlanEntry* const entry = plan.find(id);
    const engine::Node& node = graph.node(id);
    // The target itself, not all that its name stands for, if there is one of that name.
    if (entry == nullptr || (graph.find(session.options().operands.front()) && node.target != session.options().operands.front()))
      continue;
    ++shown;
    if (session.options().json) {
      fmt::print("{}\n", Json::object({{"target", node.target},
                                       {"state", engine::plan_state_name(entry->state)},
                                       {"why", engine::to_json(entry->explanation)}})
                             .dump());
      continue;
    }
    if (!first) fmt::print("\n");
    first = false;
    if (entry->explanation.kind == engine::Explanation::Kind::kCurrent) {
      fmt::print("{} is up to date\n", node.target);
      continue;
    }
    fmt::print("{}: {}\n", node.target, engine::plan_state_name(entry->state));
    for (const std::string& line : engine::describe(entry->explanation)) fmt::print("  {}\n", line);
  }
  if (shown == 0 && !session.options().json)
    fmt::print("{} is a source: nothing makes it\n", session.options().operands.front());
  return 0;
}

int run_graph(Session& session) {
  const auto goals = rules::select_goals(session.lowered(), session.options().operands, rules::WithPublish::kYes);
  const engine::Graph& graph = session.lowered().graph;
  const auto nodes = graph.needed_for(goals);
  const std::string& format = session.options().json ? "json" : session.options().graph_format;
  fmt::print("{}", graph_text(graph, nodes, format));
  return 0;
}

int run_check(Session& session) {
  const rules::Lowered& lowered = session.lowered();
  (void)session.state().save(session.stats());
  std::size_t variants = 0;
  for (const rules::ModelTargets& model : lowered.models) variants += model.variants.size();
  if (session.options().json) {
    fmt::print("{}\n", Json::object({{"models", lowered.models.size()}, {"variants", variants}}).dump());
    return 0;
  }
  print_notes(lowered);
  fmt::print("{} models, {} variants: no errors\n", lowered.models.size(), variants);
  return 0;
}

}  // namespace qbuild::cli
