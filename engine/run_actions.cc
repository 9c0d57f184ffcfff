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
// Actions go on while the results of others are flushed, but not without bound: what is not flushed
// yet lies in memory and in scratch.
constexpr std::size_t kMaxFinishing = 2 * kMaxFinishedTogether;

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
    start(choose(queued, i, free_disk), free_disk);
  }
  return moved;
}

// All of them fit. What turns out not to run after all is left out.
void Run::start(Choice choice, std::uint64_t free_disk_bytes) {
  for (const NodeId id : choice.ids) {
    if (states_.get(id) == BuildState::kQueued) prepare(id);
  }
  // With --fail-fast a failure to prepare one may have settled the others.
  std::erase_if(choice.ids, [&](NodeId id) {
    return states_.get(id) != BuildState::kQueued || !actions_.at(id).scratch;
  });
  if (choice.ids.empty()) return;
  const Resources need = needs_of(choice);
  check(pools_.take(need, free_disk_bytes), "what fitted a moment ago still fits");
  dispatch(choice, need);
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

void Run::dispatch(const Choice& choice, const Resources& held) {
  const std::uint64_t number = next_dispatch_++;
  dispatches_[number] = {.held = held, .open = choice.ids.size()};
  const bool is_group = choice.order == Batch::Order::kTogether && choice.ids.size() > 1;
  Batch batch;
  batch.order = is_group ? Batch::Order::kTogether : Batch::Order::kInTurn;
  for (const NodeId id : choice.ids) {
    actions_.at(id).dispatch = number;
    actions_.at(id).together = is_group ? choice.ids.size() : 1;
    states_.set(id, BuildState::kRunning);
    batch.actions.push_back(make_request(id));
  }
  executor_of(graph_.node(choice.ids.front())).start(std::move(batch));
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
  } else if (const auto* broken = std::get_if<ExecutorEvent::BrokeDown>(&event.what)) {
    handle_broke_down(id, *broken);
  } else {
    handle_not_run(id);
  }
}

}  // namespace qbuild::engine
