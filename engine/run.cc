#include "engine/run.h"

#include <fmt/core.h>

#include "base/check.h"
#include "base/error.h"
#include "base/temporary_name.h"
#include "engine/fence.h"
#include "engine/in_process_executor.h"
#include "engine/run_witnesses.h"

namespace qbuild::engine {

Run::Run(const Environment& environment, const BuildOptions& options, const ProjectFiles& project,
         const Graph& graph, std::span<const NodeId> goals, Progress& progress,
         std::stop_token stop)
    : environment_(environment),
      options_(options),
      project_(project),
      graph_(graph),
      progress_(progress),
      stop_(std::move(stop)),
      run_id_(make_run_id(environment.clock)),
      journal_(environment.files, environment.clock, project.journal(), run_id_),
      decider_(environment, project, graph),
      donors_(environment),
      states_(graph, graph.needed_for(goals)),
      pools_(
          {.jobs = options.jobs, .threads = options.threads, .memory_bytes = options.memory_bytes}),
      values_(graph.size()),
      finisher_(
          std::make_unique<Finisher>(environment, project, graph, options.tool_version, events_)),
      light_(make_in_process_executor(environment.files, environment.clock, environment.processes,
                                      environment.rules, events_)) {
  if (options.heavy) heavy_ = options.heavy(events_);
}

Run::~Run() {
  events_.close();  // an executor that waits for room in the queue could not end
}

RunReport Run::run() {
  const std::int64_t begin_ns = environment_.clock.monotonic_ns();
  remove_abandoned_temporaries(environment_.files, project_.last_folder());
  const std::stop_callback wake_on_stop(stop_, [this] { events_.wake(); });
  std::size_t actions = 0;
  for (const NodeId id : states_.needed()) {
    if (graph_.node(id).kind == NodeKind::kAction) ++actions;
  }
  emit(RunStarted{.run_id = run_id_, .actions = actions});
  while (!states_.all_settled()) {
    stop_if_asked();
    // Everything that can be decided is, before anything starts: then the order of starts depends
    // on priorities and not on the order of decisions.
    if (decide_next()) continue;
    bool moved = wake_delayed();
    moved = start_what_fits() || moved;
    // Events are looked at in every round, so that nothing above can keep them waiting.
    if (!states_.all_settled()) handle_events(moved ? 0 : ns_until_due());
  }
  return finish_report(begin_ns);
}

bool Run::decide_next() {
  const std::optional<NodeId> id = states_.next_decidable();
  if (!id) return false;
  const std::optional<Error> error = run_fenced([&] { decide(*id); }, [] { return false; });
  if (error) fail(*id, error->kind(), error->message());
  return true;
}

void Run::decide(NodeId id) {
  std::vector<const NodeValue*> inputs;
  for (const Input& input : graph_.node(id).inputs) {
    inputs.push_back(&*values_[input.from.value]);
  }
  Decision decision = decider_.decide(id, inputs);
  report_.nodes[id].explanation = decision.explanation;
  if (decision.what == Decision::What::kRuns) {
    queue(id, std::move(decision));
    return;
  }
  const Node& node = graph_.node(id);
  const bool is_current = node.kind == NodeKind::kAction && decision.value.status == Status::kReady;
  if (is_current) {
    const std::optional<LastRun> last = read_last_run(environment_.files, project_, node.target);
    if (!last || last->failed || last->key_text != decision.key.text) {
      note_last(node, {.failed = false, .key_text = decision.key.text, .message = ""});
    }
    settle_current(id, std::move(decision.value));
    return;
  }
  settle(id, std::move(decision.value));
}

void Run::settle_current(NodeId id, NodeValue value) {
  export_outputs(environment_, graph_.node(id), value);
  ++report_.counters.reused;
  settle(id, std::move(value));
}

void Run::settle(NodeId id, NodeValue value, std::optional<Failure> failure) {
  const Node& node = graph_.node(id);
  NodeReport& report = report_.nodes[id];
  report.status = value.status;
  report.reason = value.reason;
  report.failure = std::move(failure);
  if (value.has_artifact) {
    report.artifact = value.artifact;
    report.paths = value.paths;
    report.inline_files = value.inline_files;
    report.key_hex = value.key_hex;
    report.origin = value.origin;
  }
  const bool is_action = node.kind == NodeKind::kAction;
  if (value.status == Status::kFailed) ++report_.counters.failed;
  if (value.status == Status::kSkipped && is_action) ++report_.counters.skipped;
  if (value.status == Status::kHeld) ++report_.counters.held;
  if (value.status == Status::kReady && report.executed) ++report_.counters.executed;
  const Status status = value.status;
  values_[id.value] = std::move(value);
  if (const auto action = actions_.find(id); action != actions_.end() && action->second.log)
    warn_of_log(*action->second.log);
  actions_.erase(id);
  states_.set(id, BuildState::kSettled);
  if (node.kind != NodeKind::kSource) {
    emit(ActionFinished{.target = node.target,
                        .rule = is_action ? node.rule : "check",
                        .status = status,
                        .executed = report.executed,
                        .seconds = report.seconds,
                        .reason = report.reason,
                        .failure = report.failure});
  }
  if (status == Status::kFailed && options_.fail_fast && !is_stopping_) {
    is_stopping_ = true;
    skip_what_has_not_begun(fmt::format("stopped after {} failed (--fail-fast)", node.target));
  }
}

void Run::fail(NodeId id, ErrorKind kind, std::string message) {
  Failure failure{.kind = kind, .message = std::move(message), .log_tail = {}};
  const auto action = actions_.find(id);
  if (action != actions_.end()) {
    if (action->second.log) failure.log_tail = action->second.log->tail();
    note_last(graph_.node(id),
              {.failed = true, .key_text = action->second.key.text, .message = failure.message});
  }
  NodeValue value;
  value.status = Status::kFailed;
  value.reason = failure.message;
  settle(id, std::move(value), std::move(failure));
}

void Run::note_last(const Node& node, const LastRun& last) {
  const std::optional<Error> error =
      run_fenced([&] { write_last_run(environment_.files, project_, node.target, last); },
                 [] { return false; });
  if (!error || has_warned_of_last_runs_) return;
  has_warned_of_last_runs_ = true;
  report_.warnings.push_back(
      fmt::format("{}: its last run is not remembered: {}", node.target, error->message()));
}

void Run::warn_of_log(const ActionLog& log) {
  if (log.warning().empty() || has_warned_of_logs_) return;
  has_warned_of_logs_ = true;
  report_.warnings.push_back(fmt::format("the logs of this run are incomplete: {}", log.warning()));
}

void Run::stop_if_asked() {
  if (is_interrupted_ || !stop_.stop_requested()) return;
  is_interrupted_ = true;
  is_stopping_ = true;
  light_->cancel();
  if (heavy_) heavy_->cancel();
  skip_what_has_not_begun("interrupted");
}

void Run::skip_what_has_not_begun(const std::string& reason) {
  stop_reason_ = reason;
  // Consumers of what still runs become decidable later and meet stop_reason_ there.
  for (const NodeId id : states_.needed()) {
    const BuildState state = states_.get(id);
    if (state == BuildState::kRunning || state == BuildState::kSettled) continue;
    NodeValue value;
    value.status = Status::kSkipped;
    value.reason = reason;
    report_.nodes[id].explanation.kind = Explanation::Kind::kBlocked;
    settle(id, std::move(value));
  }
}

void Run::emit(const Event& event) {
  journal_.note(event);
  progress_.on(event);
}

RunReport Run::finish_report(std::int64_t begin_ns) {
  // Executors first: nothing may run any more when the report says what the disk holds.
  events_.close();
  heavy_.reset();
  light_.reset();
  finisher_.reset();
  report_.interrupted = is_interrupted_;
  const int code = exit_code(report_);
  if (code == 0 || code == 3) {
    report_.witnesses =
        collect_witnesses(environment_, project_, graph_, states_.needed(), report_);
  }
  Counters& counters = report_.counters;
  counters.bytes_hashed += environment_.stats.bytes_hashed() + decider_.bytes_hashed();
  counters.seconds = static_cast<double>(environment_.clock.monotonic_ns() - begin_ns) * 1e-9;
  emit(RunFinished{.counters = counters, .exit_code = code});
  if (!journal_.warning().empty()) report_.warnings.push_back(journal_.warning());
  return std::move(report_);
}

}  // namespace qbuild::engine
