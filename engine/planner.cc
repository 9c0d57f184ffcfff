#include "engine/planner.h"

#include <optional>

#include "base/error.h"
#include "engine/decision.h"
#include "engine/priority.h"

namespace qbuild::engine {
namespace {

class Planner {
 public:
  Planner(const Environment& environment, const ProjectFiles& project, const Graph& graph)
      : graph_(graph), decider_(environment, project, graph), values_(graph.size()) {}

  [[nodiscard]] PlanEntry plan(NodeId id) {
    PlanEntry entry{.node = id};
    std::vector<const NodeValue*> inputs;
    for (const Input& input : graph_.node(id).inputs) {
      if (values_[input.from.value]) {
        inputs.push_back(&*values_[input.from.value]);
      } else if (is_order_only(graph_.node(id), input)) {
        inputs.push_back(&ordered_);
      } else {
        entry.explanation.upstream.push_back(graph_.node(input.from).target);
      }
    }
    if (!entry.explanation.upstream.empty()) {
      entry.state = PlanState::kMayRun;
      entry.explanation.kind = Explanation::Kind::kUpstream;
      return entry;
    }
    Decision decision =
        with_context(graph_.node(id).target, [&] { return decider_.decide(id, inputs); });
    entry.explanation = std::move(decision.explanation);
    if (!decision.key.text.empty()) entry.key = decision.key.digest;
    if (decision.what == Decision::What::kRuns) {
      entry.state = PlanState::kRuns;
      return entry;
    }
    if (decision.value.status == Status::kHeld) entry.state = PlanState::kHeld;
    values_[id.value] = std::move(decision.value);
    return entry;
  }

 private:
  // Its outcome cannot reach the key, and only a failure could stop the consumer.
  [[nodiscard]] bool is_order_only(const Node& consumer, const Input& input) const {
    return consumer.kind == NodeKind::kAction && input.needs == Needs::kReady &&
           input.projection.kind == Projection::Kind::kNothing &&
           graph_.node(input.from).kind == NodeKind::kAction;
  }

  const Graph& graph_;
  Decider decider_;
  std::vector<std::optional<NodeValue>> values_;
  NodeValue ordered_;
};

}  // namespace

Plan make_plan(const Environment& environment, const ProjectFiles& project, const Graph& graph,
               std::span<const NodeId> goals) {
  const std::vector<NodeId> needed = graph.needed_for(goals);
  std::vector<double> seconds(graph.size(), 0);
  std::vector<std::optional<PlanEntry>> entries(graph.size());
  Planner planner(environment, project, graph);
  for (const NodeId id : needed) {
    PlanEntry entry = planner.plan(id);
    if (entry.state == PlanState::kRuns || entry.state == PlanState::kMayRun) {
      seconds[id.value] = expected_seconds(environment, graph.node(id));
      entry.expected_seconds = seconds[id.value];
    }
    entries[id.value] = std::move(entry);
  }
  Plan plan;
  for (const NodeId id : start_order(graph, needed, critical_paths(graph, needed, seconds))) {
    plan.entries.push_back(*std::move(entries[id.value]));
  }
  return plan;
}

}  // namespace qbuild::engine
