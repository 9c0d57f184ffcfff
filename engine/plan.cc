#include "engine/plan.h"

#include <algorithm>

namespace qbuild::engine {

std::string_view plan_state_name(PlanState state) {
  switch (state) {
    case PlanState::kCurrent:
      return "current";
    case PlanState::kRuns:
      return "runs";
    case PlanState::kMayRun:
      return "may run";
    case PlanState::kHeld:
      return "held";
  }
  return "current";
}

const PlanEntry* Plan::find(NodeId node) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const PlanEntry& entry) { return entry.node == node; });
  return found == entries.end() ? nullptr : &*found;
}

std::size_t Plan::count(PlanState state) const {
  return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(),
                    [&](const PlanEntry& entry) { return entry.state == state; }));
}

Json to_json(const Plan& plan, const Graph& graph) {
  Json targets = Json::array();
  std::uint64_t counts[4]{};
  for (const PlanEntry& entry : plan.entries) {
    const Node& node = graph.node(entry.node);
    if (node.kind == NodeKind::kSource) continue;
    if (node.kind == NodeKind::kAction || entry.state == PlanState::kHeld)
      ++counts[static_cast<std::size_t>(entry.state)];
    Json target =
        Json::object({{"target", node.target},
                      {"rule", node.kind == NodeKind::kCheck ? std::string("check") : node.rule},
                      {"state", plan_state_name(entry.state)},
                      {"why", to_json(entry.explanation)}});
    if (entry.key) target["key"] = entry.key->hex();
    if (entry.state == PlanState::kRuns || entry.state == PlanState::kMayRun) {
      target["expected_seconds"] = entry.expected_seconds;
    }
    targets.push_back(std::move(target));
  }
  return Json::object({{"targets", std::move(targets)},
                       {"current", counts[0]},
                       {"runs", counts[1]},
                       {"may_run", counts[2]},
                       {"held", counts[3]}});
}

}  // namespace qbuild::engine
