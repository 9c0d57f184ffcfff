#pragma once
// Where every node of a run stands. One gate, set(), changes it and keeps the queues and counters
// true; nothing else does.

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "engine/graph.h"

namespace qbuild::engine {

enum class BuildState : std::uint8_t {
  kWaiting,    // for inputs
  kDecidable,  // all inputs are settled
  kQueued,     // must run; waits for resources
  kDelayed,    // must run, but not yet: a retry, or another engine is at it
  kRunning,
  kSettled,
};
inline constexpr std::size_t kBuildStates = 6;

class BuildStates {
 public:
  //   needed  in topological order, inputs of all included
  BuildStates(const Graph& graph, std::span<const NodeId> needed);

  // Allowed: waiting -> decidable (done by this class when the last input is settled); decidable ->
  // queued; queued <-> delayed; queued -> running; running -> queued, delayed; anything -> settled.
  // Others are bugs.
  void set(NodeId id, BuildState state);

  [[nodiscard]] BuildState get(NodeId id) const { return states_[id.value]; }
  [[nodiscard]] std::size_t count(BuildState state) const {
    return counts_[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] bool all_settled() const { return count(BuildState::kSettled) == needed_.size(); }
  [[nodiscard]] std::span<const NodeId> needed() const { return needed_; }

  // The decidable node with the lowest id.
  [[nodiscard]] std::optional<NodeId> next_decidable() const;

  // By node id; larger goes first, the lowest id on a tie. At any time while nothing is queued.
  void set_priorities(std::vector<double> priorities);
  // In the order in which they should start.
  [[nodiscard]] std::vector<NodeId> queued() const;
  // Whether something that waits for this node alone should start before all that is queued.
  [[nodiscard]] bool is_waited_for(NodeId id) const;

 private:
  struct Place {
    double priority;
    NodeId id;
    bool operator<(const Place& other) const {
      if (priority != other.priority) return priority > other.priority;
      return id < other.id;
    }
  };
  [[nodiscard]] Place place(NodeId id) const { return {priorities_[id.value], id}; }

  const Graph& graph_;
  std::vector<NodeId> needed_;
  std::vector<bool> is_needed_;
  std::vector<BuildState> states_;
  std::vector<std::size_t> unsettled_inputs_;
  std::vector<double> priorities_;
  std::array<std::size_t, kBuildStates> counts_{};
  std::set<NodeId> decidable_;
  std::set<Place> queued_;
};

}  // namespace qbuild::engine
