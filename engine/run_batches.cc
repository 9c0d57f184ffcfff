// Which of the queued actions go to one worker: to wait there for their turn, or to run together.

#include <vector>

#include "engine/run.h"

namespace qbuild::engine {
namespace {

// Actions in turn in one request.
constexpr std::size_t kMaxBatch = 16;

}  // namespace

Run::Choice Run::choose(std::span<const NodeId> queued, std::size_t head,
                        std::uint64_t free_disk_bytes) const {
  const Node& first = graph_.node(queued[head]);
  const RuleTraits& traits = environment_.rules.traits(first.rule);
  // Who wants a worker for himself shares none.
  const bool is_sociable = !first.batch.empty() && traits.worker == Worker::kReused &&
                           may_share_batch(queued[head], queued[head]);
  if (is_sociable && traits.fuses)
    return {fellows(queued, head, free_disk_bytes), Batch::Order::kTogether};
  if (is_sociable && heavy_ && traits.weight == Weight::kHeavy)
    return {companions(queued, head, free_disk_bytes), Batch::Order::kInTurn};
  return {{queued[head]}, Batch::Order::kInTurn};
}

bool Run::may_share_batch(NodeId head, NodeId other) const {
  const Node& first = graph_.node(head);
  const Node& next = graph_.node(other);
  // One whose batch broke down goes alone: it must not suffer from the same neighbour again. So
  // does one that wants the machine for itself.
  return next.batch == first.batch && next.rule == first.rule && !next.resources.whole_machine &&
         actions_.at(other).breakdowns == 0;
}

std::vector<NodeId> Run::companions(std::span<const NodeId> queued, std::size_t head,
                                    std::uint64_t free_disk_bytes) const {
  Choice found{{queued[head]}, Batch::Order::kInTurn};
  Resources need = needs_of(found);
  for (std::size_t i = head + 1; i < queued.size() && found.ids.size() < kMaxBatch; ++i) {
    if (states_.get(queued[i]) != BuildState::kQueued) continue;
    if (!may_share_batch(queued[head], queued[i])) break;
    // Two that could run side by side would be slower one after the other.
    ResourcePools beside = pools_;
    const bool could_run_beside = beside.take(need, free_disk_bytes) &&
                                  beside.fits(graph_.node(queued[i]).resources, free_disk_bytes);
    found.ids.push_back(queued[i]);
    need = needs_of(found);
    if (could_run_beside || !pools_.fits(need, free_disk_bytes)) {
      found.ids.pop_back();
      break;
    }
  }
  return found.ids;
}

std::vector<NodeId> Run::fellows(std::span<const NodeId> queued, std::size_t head,
                                 std::uint64_t free_disk_bytes) const {
  Choice found{{queued[head]}, Batch::Order::kTogether};
  for (std::size_t i = head + 1; i < queued.size() && found.ids.size() < options_.together; ++i) {
    if (states_.get(queued[i]) != BuildState::kQueued) continue;
    if (!may_share_batch(queued[head], queued[i])) continue;
    found.ids.push_back(queued[i]);
    if (!pools_.fits(needs_of(found), free_disk_bytes)) found.ids.pop_back();
  }
  return found.ids;
}

Resources Run::needs_of(const Choice& choice) const {
  std::vector<Resources> needs;
  for (const NodeId id : choice.ids) needs.push_back(graph_.node(id).resources);
  return choice.order == Batch::Order::kTogether ? needs_together(needs) : needs_in_turn(needs);
}

}  // namespace qbuild::engine
