// What becomes of actions whose work has ended, well or not.

#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "cache/index.h"
#include "engine/fence.h"
#include "engine/retry.h"
#include "engine/run.h"

namespace qbuild::engine {
namespace {

// How often its batch may break down before it is begun; then it is not tried again.
constexpr int kMaxBreakdowns = 3;
constexpr std::size_t kMaxIdleScratch = 64;

}  // namespace

void Run::handle_done(NodeId id, const ExecutorEvent::Done& done) {
  const Node& node = graph_.node(id);
  Action& action = actions_.at(id);
  Counters& counters = report_.counters;
  counters.bytes_read += done.result.bytes_read;
  counters.bytes_written += done.result.bytes_written;
  counters.bytes_hashed += done.result.bytes_hashed;
  counters.requests += done.result.requests;
  counters.pieces_computed += done.result.pieces_computed;
  counters.pieces_copied += done.result.pieces_copied;
  report_.nodes[id].seconds = done.seconds;
  by_request_.erase(action.id);
  FinishJob job{.node = id,
                .key = action.key,
                .scratch = action.scratch->path(),
                .sources = {},
                .result = done.result,
                .started_unix_ns = action.started_unix_ns,
                .seconds = done.seconds,
                .together = action.together,
                .peak_memory_bytes = done.peak_memory_bytes};
  for (const Input& input : node.inputs) {
    const Node& source = graph_.node(input.from);
    if (source.kind != NodeKind::kSource) continue;
    for (std::size_t i = 0; i < source.paths.size(); ++i) {
      const fs::path& path = source.paths[i];
      const std::optional<StatTable::Entry> entry = environment_.stats.find(path);
      if (entry)
        job.sources.push_back({.before = {.path = path, .stat = entry->stat},
                               .sha256 = source.artifact.files[i].sha256});
    }
  }
  // Its place is kept for what should come next, which is a moment away.
  if (!states_.is_waited_for(id)) give_back(action);
  ++finishing_;
  finisher_->submit(std::move(job));
}

void Run::handle_finished(Finished finished) {
  const NodeId id = finished.node;
  const Node& node = graph_.node(id);
  Action& action = actions_.at(id);
  if (finished.error) {
    keep_for_next_attempt(action, finished.error->kind());
  } else {
    // Its record is stored: nobody will go on with it.
    action.scratch->set_at_end(cache::AtEnd::kRemove);
    keep_scratch(node, action);
  }
  leave(action);
  --finishing_;
  report_.counters.bytes_hashed += finished.bytes_hashed;
  if (finished.error) {
    note_failed_run(node, action, report_.nodes[id].seconds, "failed");
    fail(id, finished.error->kind(), finished.error->message());
    return;
  }
  note_last(node, {.failed = false, .key_text = action.key.text, .message = ""});
  settle(id, *std::move(finished.value));
}

void Run::handle_failed(NodeId id, const ExecutorEvent::Failed& failed) {
  const Node& node = graph_.node(id);
  Action& action = actions_.at(id);
  by_request_.erase(action.id);
  keep_for_next_attempt(action, failed.error.kind());
  leave(action);
  report_.nodes[id].executed = true;
  report_.nodes[id].seconds = failed.seconds;
  if (is_interrupted_ && failed.error.kind() == ErrorKind::kCancelled) {
    note_failed_run(node, action, failed.seconds, "cancelled");
    NodeValue value;
    value.status = Status::kSkipped;
    value.reason = "interrupted";
    settle(id, std::move(value));
    return;
  }
  const std::optional<std::int64_t> delay_ns =
      retry_delay_ns({.error = failed.error.kind(),
                      .number = action.attempt,
                      .max_attempts = environment_.rules.traits(node.rule).max_attempts,
                      .now_ns = environment_.clock.unix_ns()});
  if (delay_ns && !is_stopping_) {
    ++action.attempt;
    emit(ActionRetried{.target = node.target,
                       .message = failed.error.message(),
                       .wait_seconds = static_cast<double>(*delay_ns) * 1e-9});
    delay(id, *delay_ns);
    return;
  }
  note_failed_run(node, action, failed.seconds, "failed");
  fail(id, failed.error.kind(), failed.error.message());
}

void Run::handle_not_run(NodeId id) {
  Action& action = actions_.at(id);
  by_request_.erase(action.id);
  leave(action);
  if (++action.breakdowns > kMaxBreakdowns) {
    fail(id, ErrorKind::kInternal, "its workers died before it was begun, time after time");
  } else {
    run_again(id);
  }
}

void Run::handle_broke_down(NodeId id, const ExecutorEvent::BrokeDown& broken) {
  Action& action = actions_.at(id);
  by_request_.erase(action.id);
  leave(action);
  ++action.breakdowns;
  if (!is_stopping_) {
    emit(ActionRetried{
        .target = graph_.node(id).target,
        .message = broken.error.message() + " (it ran together with others, now it runs alone)",
        .wait_seconds = 0});
  }
  run_again(id);
}

// Alone: it must not suffer from the same neighbour again.
void Run::run_again(NodeId id) {
  if (is_stopping_) {
    NodeValue value;
    value.status = Status::kSkipped;
    value.reason = stop_reason_;
    settle(id, std::move(value));
  } else {
    states_.set(id, BuildState::kQueued);
  }
}

// Its share of the dispatch.
void Run::give_back(Action& action) {
  if (action.dispatch == 0) return;
  const auto place = dispatches_.find(std::exchange(action.dispatch, 0));
  check(place != dispatches_.end(), "a running action belongs to a dispatch");
  if (--place->second.open > 0) return;
  pools_.give_back(place->second.held);
  dispatches_.erase(place);
}

// What a tool left running could still write into its folder, so that folder is nobody else's.
bool Run::may_share_scratch(const Node& node) const {
  const RuleTraits& traits = environment_.rules.traits(node.rule);
  return traits.worker == Worker::kReused && !traits.resumes;
}

// For a later action. Making and removing a folder can cost a disk more than all the rest of a
// small action.
void Run::keep_scratch(const Node& node, Action& action) {
  if (!may_share_scratch(node) || idle_scratch_.size() >= kMaxIdleScratch) return;
  // One that cannot be looked at, or has something left in it, goes the way of all others.
  static_cast<void>(run_fenced(
      [&] {
        if (environment_.files.list(action.scratch->path()).empty())
          idle_scratch_.push_back(*std::move(action.scratch));
      },
      [] { return false; }));
}

// A folder that may be gone on with stays if the action was killed, ran over its time, was stopped,
// had no room, or met what may go away. After any other failure what lies in it may be its cause.
void Run::keep_for_next_attempt(Action& action, ErrorKind why_it_failed) {
  const bool is_kept = why_it_failed == ErrorKind::kExhausted ||
                       why_it_failed == ErrorKind::kCancelled ||
                       why_it_failed == ErrorKind::kTransient;
  if (!is_kept && action.scratch) action.scratch->set_at_end(cache::AtEnd::kRemove);
}

// Gives back all that an action held: its share of the dispatch, its lock and its scratch.
void Run::leave(Action& action) {
  give_back(action);
  keys_at_work_.erase(action.key.digest);
  action.scratch.reset();
  action.lock.reset();
}

void Run::note_failed_run(const Node& node, const Action& action, double seconds,
                          std::string_view outcome) {
  if (environment_.index == nullptr) return;
  environment_.index->note_run({.rule = node.rule,
                                .history_key = node.target,
                                .outcome = std::string(outcome),
                                .started_unix_ns = action.started_unix_ns,
                                .seconds = seconds / static_cast<double>(action.together),
                                .peak_memory_bytes = 0});
}

}  // namespace qbuild::engine
