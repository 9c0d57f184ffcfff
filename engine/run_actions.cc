#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "cache/index.h"
#include "engine/fence.h"
#include "engine/priority.h"
#include "engine/run.h"

namespace qbuild::engine {
namespace {

// How often a lock that another engine holds is tried again.
constexpr std::int64_t kLockPollNs = 100'000'000;
// How long the loop sleeps at most, so that a live display moves.
constexpr std::int64_t kTickNs = 100'000'000;
constexpr std::size_t kMaxBatch = 16;
// Actions go on while the results of others are flushed, but not without bound: what is not flushed
// yet lies in memory and in scratch.
constexpr std::size_t kMaxFinishing = 2 * kMaxFinishedTogether;

Resources larger(const Resources& a, const Resources& b) {
  Resources both = a;
  both.threads = std::max(a.threads, b.threads);
  both.memory_bytes = std::max(a.memory_bytes, b.memory_bytes);
  both.scratch_bytes = checked_add(a.scratch_bytes, b.scratch_bytes).value_or(UINT64_MAX);
  return both;
}

}  // namespace

void Run::queue(NodeId id, Decision decision) {
  if (!has_priorities_) {
    // Only now: a run that finds everything current asks nobody for durations.
    std::vector<double> seconds(graph_.size(), 0);
    for (const NodeId needed : states_.needed()) {
      seconds[needed.value] = expected_seconds(environment_, graph_.node(needed));
    }
    states_.set_priorities(critical_paths(graph_, states_.needed(), seconds));
    has_priorities_ = true;
  }
  actions_[id].key = std::move(decision.key);
  states_.set(id, BuildState::kQueued);
}

bool Run::start_what_fits() {
  if (is_stopping_ || finishing_ >= kMaxFinishing || states_.count(BuildState::kQueued) == 0)
    return false;
  bool moved = false;
  const std::vector<NodeId> queued = states_.queued();
  const std::uint64_t free_disk = environment_.files.free_bytes(environment_.store.root());
  for (std::size_t i = 0; i < queued.size() && !is_stopping_; ++i) {
    const NodeId id = queued[i];
    if (states_.get(id) != BuildState::kQueued) continue;
    const Resources& need = graph_.node(id).resources;
    if (const std::optional<std::string> never =
            pools_.why_never(need, {environment_.store.root(), free_disk})) {
      if (need.scratch_bytes > free_disk && make_room(id)) return true;
      fail(id, ErrorKind::kExhausted, *never);
      moved = true;
      continue;
    }
    if (!pools_.fits(need, free_disk)) continue;
    // Who wants the machine alone, to measure, does not want a disk that is busy with others'
    // files.
    if (need.whole_machine && finishing_ > 0) continue;
    moved = true;
    start(companions(queued, i, free_disk), free_disk);
  }
  return moved;
}

// All of them together fit. What turns out not to run after all is left out.
void Run::start(std::vector<NodeId> ids, std::uint64_t free_disk_bytes) {
  for (const NodeId id : ids) {
    if (states_.get(id) == BuildState::kQueued) prepare(id);
  }
  // With --fail-fast a failure to prepare one may have settled the others.
  std::erase_if(ids, [&](NodeId id) {
    return states_.get(id) != BuildState::kQueued || !actions_.at(id).scratch;
  });
  if (ids.empty()) return;
  Resources need = graph_.node(ids.front()).resources;
  for (std::size_t i = 1; i < ids.size(); ++i) {
    need = larger(need, graph_.node(ids[i]).resources);
  }
  check(pools_.take(need, free_disk_bytes), "what fitted a moment ago still fits");
  dispatch(ids, need);
}

std::vector<NodeId> Run::companions(std::span<const NodeId> queued, std::size_t head,
                                    std::uint64_t free_disk_bytes) {
  const Node& first = graph_.node(queued[head]);
  const RuleTraits& traits = environment_.rules.traits(first.rule);
  std::vector<NodeId> found{queued[head]};
  // One whose batch broke down goes alone: it must not suffer from the same neighbour again.
  const auto has_suffered = [&](NodeId id) { return actions_.at(id).breakdowns > 0; };
  if (first.batch.empty() || !heavy_ || traits.weight == Weight::kLight ||
      traits.worker == Worker::kFresh || has_suffered(queued[head])) {
    return found;
  }
  Resources need = first.resources;
  for (std::size_t i = head + 1; i < queued.size() && found.size() < kMaxBatch; ++i) {
    if (states_.get(queued[i]) != BuildState::kQueued) continue;
    const Node& next = graph_.node(queued[i]);
    if (next.batch != first.batch || next.rule != first.rule || has_suffered(queued[i])) break;
    // Two that could run side by side would be slower one after the other.
    ResourcePools beside = pools_;
    const bool could_run_beside =
        beside.take(need, free_disk_bytes) && beside.fits(next.resources, free_disk_bytes);
    const Resources both = larger(need, next.resources);
    if (could_run_beside || !pools_.fits(both, free_disk_bytes)) break;
    need = both;
    found.push_back(queued[i]);
  }
  return found;
}

// Afterwards it has a lock, scratch and a log, or it was settled or delayed instead.
void Run::prepare(NodeId id) {
  const Node& node = graph_.node(id);
  Action& action = actions_.at(id);
  if (keys_at_work_.contains(action.key.digest)) {
    delay(id, kLockPollNs);
    return;
  }
  const std::optional<Error> error = run_fenced(
      [&] {
        action.lock = environment_.store.lock_key(action.key.digest, LockWait::kTry);
        if (!action.lock) {
          delay(id, kLockPollNs);
          return;
        }
        // Somebody else may have made it since the decision.
        if (std::optional<NodeValue> value = decider_.look_again(node, action.key)) {
          report_.nodes[id].explanation = {.kind = Explanation::Kind::kCurrent};
          note_last(node, {.failed = false, .key_text = action.key.text, .message = ""});
          settle_current(id, *std::move(value));
          return;
        }
        action.log = std::make_unique<ActionLog>(environment_.files, project_.log(node.target));
        action.scratch.emplace(scratch_for(node, action.key));
        keys_at_work_.insert(action.key.digest);
      },
      [] { return false; });
  if (error) fail(id, error->kind(), error->message());
}

// The key's lock is held.
cache::Scratch Run::scratch_for(const Node& node, const Key& key) {
  if (environment_.rules.traits(node.rule).resumes)
    return environment_.store.open_partial(key.digest);
  if (idle_scratch_.empty() || !may_share_scratch(node)) return environment_.store.make_scratch();
  cache::Scratch scratch = std::move(idle_scratch_.back());
  idle_scratch_.pop_back();
  return scratch;
}

// An action that finds too little room beside what its own earlier attempt left begins anew.
bool Run::make_room(NodeId id) {
  if (!environment_.rules.traits(graph_.node(id).rule).resumes) return false;
  bool is_removed = false;
  static_cast<void>(run_fenced(
      [&] { is_removed = environment_.store.remove_partial(actions_.at(id).key.digest); },
      [] { return false; }));
  return is_removed;
}

void Run::dispatch(std::span<const NodeId> ids, const Resources& held) {
  const std::uint64_t number = next_dispatch_++;
  dispatches_[number] = {.held = held, .open = ids.size()};
  std::vector<ActionRequest> batch;
  for (const NodeId id : ids) {
    actions_.at(id).dispatch = number;
    states_.set(id, BuildState::kRunning);
    batch.push_back(make_request(id));
  }
  executor_of(graph_.node(ids.front())).start(std::move(batch));
}

ActionRequest Run::make_request(NodeId id) {
  const Node& node = graph_.node(id);
  Action& action = actions_.at(id);
  action.id = fmt::format("{}-{}", run_id_, next_request_++);
  by_request_[action.id] = id;
  ActionRequest request;
  request.id = action.id;
  request.target = node.target;
  request.rule = node.rule;
  request.key_hex = action.key.digest.hex();
  request.params = node.params;
  request.context = node.context;
  for (const Input& input : node.inputs) {
    request.inputs.push_back(resolve(input, *values_[input.from.value]));
  }
  request.scratch = action.scratch->path();
  request.threads = node.resources.threads;
  request.backend = options_.backend;
  request.donors = donors_.find(node.piece_scope);
  if (node.resources.time_limit.count() > 0) request.time_limit = node.resources.time_limit;
  return request;
}

Executor& Run::executor_of(const Node& node) {
  const bool is_light = environment_.rules.traits(node.rule).weight == Weight::kLight;
  return is_light || !heavy_ ? *light_ : *heavy_;
}

bool Run::wake_delayed() {
  if (states_.count(BuildState::kDelayed) == 0) return false;
  const std::int64_t now_ns = environment_.clock.monotonic_ns();
  bool woken = false;
  for (const auto& [id, action] : actions_) {
    if (states_.get(id) != BuildState::kDelayed || action.due_ns > now_ns) continue;
    states_.set(id, BuildState::kQueued);
    woken = true;
  }
  return woken;
}

void Run::delay(NodeId id, std::int64_t by_ns) {
  actions_.at(id).due_ns = environment_.clock.monotonic_ns() + by_ns;
  states_.set(id, BuildState::kDelayed);
}

std::int64_t Run::ns_until_due() const {
  std::int64_t least_ns = std::min(kTickNs, journal_.ns_until_due().value_or(kTickNs));
  const std::int64_t now_ns = environment_.clock.monotonic_ns();
  for (const auto& [id, action] : actions_) {
    if (states_.get(id) != BuildState::kDelayed) continue;
    least_ns = std::clamp<std::int64_t>(action.due_ns - now_ns, 0, least_ns);
  }
  return least_ns;
}

void Run::handle_events(std::int64_t wait_ns) {
  for (const ExecutorEvent& event : events_.take(std::chrono::nanoseconds(wait_ns))) {
    handle(event);
  }
  for (Finished& finished : finisher_->take()) handle_finished(std::move(finished));
  journal_.flush_if_due();
  progress_.tick();
}

void Run::handle(const ExecutorEvent& event) {
  const auto request = by_request_.find(event.id);
  if (request == by_request_.end()) return;  // a late word about an action that has ended
  const NodeId id = request->second;
  const Node& node = graph_.node(id);
  Action& action = actions_.at(id);
  if (std::holds_alternative<ExecutorEvent::Started>(event.what)) {
    action.started_unix_ns = environment_.clock.unix_ns();
    report_.nodes[id].executed = true;
    emit(ActionStarted{.target = node.target,
                       .rule = node.rule,
                       .why = report_.nodes[id].explanation,
                       .attempt = action.attempt});
  } else if (const auto* progress = std::get_if<ExecutorEvent::Progress>(&event.what)) {
    emit(ActionProgress{.target = node.target,
                        .done = progress->done,
                        .total = progress->total,
                        .unit = progress->unit});
  } else if (const auto* log = std::get_if<ExecutorEvent::Log>(&event.what)) {
    const bool was_cut = action.log->is_cut();
    action.log->append(log->line);
    if (was_cut) return;
    emit(ActionLogged{
        .target = node.target,
        .line = std::string(action.log->is_cut() ? kLogIsCut : std::string_view(log->line))});
  } else if (const auto* done = std::get_if<ExecutorEvent::Done>(&event.what)) {
    handle_done(id, *done);
  } else if (const auto* failed = std::get_if<ExecutorEvent::Failed>(&event.what)) {
    handle_failed(id, *failed);
  } else {
    handle_not_run(id);
  }
}

}  // namespace qbuild::engine
