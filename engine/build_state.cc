#include "engine/build_state.h"

#include <algorithm>

#include "base/check.h"

namespace qbuild::engine {
namespace {

bool is_allowed(BuildState from, BuildState to) {
  switch (to) {
    case BuildState::kWaiting:
      return false;
    case BuildState::kDecidable:
      return from == BuildState::kWaiting;
    case BuildState::kQueued:
      return from == BuildState::kDecidable || from == BuildState::kDelayed ||
             from == BuildState::kRunning;
    case BuildState::kDelayed:
      return from == BuildState::kQueued || from == BuildState::kRunning;
    case BuildState::kRunning:
      return from == BuildState::kQueued;
    case BuildState::kSettled:
      return from != BuildState::kSettled;
  }
  return false;
}

}  // namespace

BuildStates::BuildStates(const Graph& graph, std::span<const NodeId> needed)
    : graph_(graph),
      needed_(needed.begin(), needed.end()),
      is_needed_(graph.size(), false),
      states_(graph.size(), BuildState::kWaiting),
      unsettled_inputs_(graph.size(), 0),
      priorities_(graph.size(), 0) {
  counts_[static_cast<std::size_t>(BuildState::kWaiting)] = needed_.size();
  for (const NodeId id : needed_) {
    is_needed_[id.value] = true;
    unsettled_inputs_[id.value] = graph.node(id).inputs.size();
  }
  for (const NodeId id : needed_) {
    if (unsettled_inputs_[id.value] == 0) set(id, BuildState::kDecidable);
  }
}

void BuildStates::set(NodeId id, BuildState state) {
  const BuildState before = states_[id.value];
  check(is_needed_[id.value], "only needed nodes change their state");
  check(is_allowed(before, state), "a node goes the way that build_state.h draws");
  states_[id.value] = state;
  --counts_[static_cast<std::size_t>(before)];
  ++counts_[static_cast<std::size_t>(state)];
  if (before == BuildState::kDecidable) decidable_.erase(id);
  if (before == BuildState::kQueued) queued_.erase(place(id));
  if (state == BuildState::kDecidable) decidable_.insert(id);
  if (state == BuildState::kQueued) queued_.insert(place(id));
  if (state != BuildState::kSettled) return;
  for (const NodeId consumer : graph_.consumers(id)) {
    if (!is_needed_[consumer.value]) continue;
    for (const Input& input : graph_.node(consumer).inputs) {
      if (input.from == id) --unsettled_inputs_[consumer.value];
    }
    const bool is_free = unsettled_inputs_[consumer.value] == 0;
    if (is_free && states_[consumer.value] == BuildState::kWaiting) {
      set(consumer, BuildState::kDecidable);
    }
  }
}

std::optional<NodeId> BuildStates::next_decidable() const {
  if (decidable_.empty()) return std::nullopt;
  return *decidable_.begin();
}

void BuildStates::set_priorities(std::vector<double> priorities) {
  check(queued_.empty(), "priorities are set before anything is queued");
  check(priorities.size() == states_.size(), "every node has a priority");
  priorities_ = std::move(priorities);
}

bool BuildStates::is_waited_for(NodeId id) const {
  const auto consumers = graph_.consumers(id);
  return std::any_of(consumers.begin(), consumers.end(), [&](NodeId consumer) {
    if (!is_needed_[consumer.value] || states_[consumer.value] != BuildState::kWaiting)
      return false;
    const auto& inputs = graph_.node(consumer).inputs;
    const auto edges = std::count_if(inputs.begin(), inputs.end(),
                                     [&](const Input& input) { return input.from == id; });
    return unsettled_inputs_[consumer.value] == static_cast<std::size_t>(edges) &&
           (queued_.empty() || place(consumer) < *queued_.begin());
  });
}

std::vector<NodeId> BuildStates::queued() const {
  std::vector<NodeId> ids;
  for (const Place& place : queued_) ids.push_back(place.id);
  return ids;
}

}  // namespace qbuild::engine
