#pragma once
// What a build would do, and why: for every needed node, without writing anything or running a
// rule. Builder::plan makes it with the very decisions that Builder::run takes.

#include <optional>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "engine/explanation.h"
#include "engine/graph.h"

namespace qbuild::engine {

// The names reach JSON: never rename.
enum class PlanState : std::uint8_t {
  kCurrent,  // nothing to do
  kRuns,     // will run
  kMayRun,   // something above it runs; if that changes nothing, this does not run
  kHeld,     // a check withholds it
};
// "current", "runs", "may run", "held"
[[nodiscard]] std::string_view plan_state_name(PlanState state);

struct PlanEntry {
  NodeId node;
  PlanState state = PlanState::kCurrent;
  Explanation explanation{};
  std::optional<Digest> key{};  // of an action whose key is known already
  double expected_seconds =
      0;  // of an action that runs or may run: from history, else the graph's guess
};

struct Plan {
  std::vector<PlanEntry> entries;  // in the order in which they would start, inputs first

  [[nodiscard]] const PlanEntry* find(NodeId node) const;
  [[nodiscard]] std::size_t count(PlanState state) const;
};

// {"targets": [{"target","rule","state","why": {...},"key","expected_seconds"}],
//  "current": n, "runs": n, "may_run": n, "held": n}; sources are left out. Counted are actions,
// and checks that hold something back.
[[nodiscard]] Json to_json(const Plan& plan, const Graph& graph);

}  // namespace qbuild::engine
