#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/graph_text.h"
#include "cli/output.h"
#include "cli/table.h"
#include "rules/display.h"

namespace qbuild::cli {
namespace {

engine::Plan make_plan(Session& session) {
  const auto goals =
      rules::select_goals(session.lowered(), session.options().operands, rules::WithPublish::kYes);
  engine::Plan plan = session.builder().plan(session.lowered().graph, goals);
  (void)session.state().save(
      session.stats());  // hashes that were computed need not be computed again
  return plan;
}

// What the operands name: a target of exactly that name, not all that its name stands for; else
// what the pattern stands for.
std::vector<engine::NodeId> asked_for(Session& session) {
  const rules::Lowered& lowered = session.lowered();
  std::vector<engine::NodeId> all;
  for (const std::string& operand : session.options().operands) {
    std::vector<engine::NodeId> named;
    if (const auto exact = lowered.graph.find(operand))
      named.push_back(*exact);
    else
      named = rules::select_goals(lowered, {operand}, rules::WithPublish::kYes);
    for (const engine::NodeId id : named)
      if (std::find(all.begin(), all.end(), id) == all.end()) all.push_back(id);
  }
  return all;
}

void print_notes(const rules::Lowered& lowered) {
  for (const rules::ModelTargets& model : lowered.models)
    for (const rules::VariantTargets& variant : model.variants)
      for (const std::string& note : variant.notes) print("note: {}: {}\n", model.name, note);
}

}  // namespace

int run_plan(Session& session) {
  const engine::Plan plan = make_plan(session);
  const engine::Graph& graph = session.lowered().graph;
  if (session.options().json) {
    print_text(engine::to_json(plan, graph).dump_pretty());
    return 0;
  }
  Table table({"state", "target", ">expected", "why"});
  std::map<engine::PlanState, std::size_t> listed;
  for (const engine::PlanEntry& entry : plan.entries) {
    const engine::Node& node = graph.node(entry.node);
    // Checks are no work; one that holds something back is worth a line.
    if (node.kind != engine::NodeKind::kAction && entry.state != engine::PlanState::kHeld) continue;
    ++listed[entry.state];
    const bool waits =
        entry.state == engine::PlanState::kRuns || entry.state == engine::PlanState::kMayRun;
    table.add(
        {std::string(engine::plan_state_name(entry.state)), node.target,
         waits ? rules::display_seconds(entry.expected_seconds) : "",
         entry.state == engine::PlanState::kCurrent ? "" : engine::summarize(entry.explanation)});
  }
  print_text(table.text());
  print_notes(session.lowered());
  print("{} current, {} run, {} may run, {} held\n", listed[engine::PlanState::kCurrent],
        listed[engine::PlanState::kRuns], listed[engine::PlanState::kMayRun],
        listed[engine::PlanState::kHeld]);
  return 0;
}

int run_why(Session& session) {
  const engine::Plan plan = make_plan(session);
  bool first = true;
  for (const engine::NodeId id : asked_for(session)) {
    const engine::Node& node = session.lowered().graph.node(id);
    const engine::PlanEntry* const entry = plan.find(id);
    if (session.options().json) {
      if (entry == nullptr) continue;
      print("{}\n", Json::object({{"target", node.target},
                                  {"state", engine::plan_state_name(entry->state)},
                                  {"why", engine::to_json(entry->explanation)}})
                        .dump());
      continue;
    }
    if (!first) print("\n");
    first = false;
    if (entry == nullptr) {
      print("{} is a source: nothing makes it\n", node.target);
    } else if (entry->explanation.kind == engine::Explanation::Kind::kCurrent) {
      print("{} is up to date\n", node.target);
    } else {
      print("{}: {}\n", node.target, engine::plan_state_name(entry->state));
      for (const std::string& line : engine::describe(entry->explanation)) print("  {}\n", line);
    }
  }
  return 0;
}

int run_graph(Session& session) {
  const auto goals =
      rules::select_goals(session.lowered(), session.options().operands, rules::WithPublish::kYes);
  const engine::Graph& graph = session.lowered().graph;
  const auto nodes = graph.needed_for(goals);
  const std::string& format = session.options().json ? "json" : session.options().graph_format;
  print_text(graph_text(graph, nodes, format));
  return 0;
}

int run_check(Session& session) {
  const rules::Lowered& lowered = session.lowered();
  (void)session.state().save(session.stats());
  std::size_t variants = 0;
  for (const rules::ModelTargets& model : lowered.models) variants += model.variants.size();
  if (session.options().json) {
    print("{}\n", Json::object({{"models", lowered.models.size()}, {"variants", variants}}).dump());
    return 0;
  }
  print_notes(lowered);
  print("{}, {}: no errors\n", counted(lowered.models.size(), "model"),
        counted(variants, "variant"));
  return 0;
}

}  // namespace qbuild::cli
