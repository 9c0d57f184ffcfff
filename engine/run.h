#pragma once
// One run: the loop, and what it knows of every node. Builder::run makes one and throws it away.
// run.cc holds the loop and the decisions, run_batches.cc which actions share a worker,
// run_actions.cc what concerns running actions, run_results.cc what becomes of those that have
// ended.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/action_log.h"
#include "engine/build_state.h"
#include "engine/builder.h"
#include "engine/decision.h"
#include "engine/donor_search.h"
#include "engine/finisher.h"
#include "engine/journal.h"
#include "engine/last_run.h"
#include "engine/resources.h"

namespace qbuild::engine {

class Run {
 public:
  // All must outlive it.
  Run(const Environment& environment, const BuildOptions& options, const ProjectFiles& project,
      const Graph& graph, std::span<const NodeId> goals, Progress& progress, std::stop_token stop);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  [[nodiscard]] RunReport run();

 private:
  // What is known of an action from the decision that it runs until it is settled.
  struct Action {
    Key key;
    std::string id;
    int attempt = 1;
    int breakdowns = 0;       // how often its batch broke down, and not by its fault
    std::int64_t due_ns = 0;  // while delayed: monotonic
    std::unique_ptr<FileLock> lock;
    std::optional<cache::Scratch> scratch;
    std::unique_ptr<ActionLog> log;
    std::int64_t started_unix_ns = 0;
    std::uint64_t dispatch = 0;  // while it holds resources; else 0
    std::size_t together = 1;    // so many began at once in its worker
  };
  // Actions that share resources because they share a worker.
  struct Dispatch {
    Resources held;
    std::size_t open = 0;
  };
  // Queued actions that are started at once, in one worker.
  struct Choice {
    std::vector<NodeId> ids;
    Batch::Order order = Batch::Order::kInTurn;
  };

  // --- run.cc
  [[nodiscard]] bool decide_next();
  void decide(NodeId id);
  void settle(NodeId id, NodeValue value, std::optional<Failure> failure = std::nullopt);
  void settle_current(NodeId id, NodeValue value);
  void fail(NodeId id, ErrorKind kind, std::string message);
  // Remembered for explanations alone: a disk that does not take it is worth a warning, never the
  // run or a target.
  void note_last(const Node& node, const LastRun& last);
  // For people who look for causes: as above.
  void warn_of_log(const ActionLog& log);
  void stop_if_asked();
  void skip_what_has_not_begun(const std::string& reason);
  void emit(const Event& event);
  [[nodiscard]] RunReport finish_report(std::int64_t begin_ns);

  // --- run_actions.cc
  void queue(NodeId id, Decision decision);
  [[nodiscard]] bool start_what_fits();
  void start(Choice choice, std::uint64_t free_disk_bytes);
  void prepare(NodeId id);
  // Whether room was made by giving up what an earlier attempt left.
  [[nodiscard]] bool make_room(NodeId id);
  [[nodiscard]] cache::Scratch scratch_for(const Node& node, const Key& key);
  void dispatch(const Choice& choice, const Resources& held);
  [[nodiscard]] ActionRequest make_request(NodeId id);
  [[nodiscard]] bool wake_delayed();
  void delay(NodeId id, std::int64_t by_ns);
  [[nodiscard]] std::int64_t ns_until_due() const;
  // Those that are there; waits so long for the first one.
  void handle_events(std::int64_t wait_ns);
  void handle(const ExecutorEvent& event);
  [[nodiscard]] Executor& executor_of(const Node& node);

  // --- run_batches.cc
  // The head, and what goes along in its worker; all of them fit.
  [[nodiscard]] Choice choose(std::span<const NodeId> queued, std::size_t head,
                              std::uint64_t free_disk_bytes) const;
  // Those right behind it that would have to wait anyway.
  [[nodiscard]] std::vector<NodeId> companions(std::span<const NodeId> queued, std::size_t head,
                                               std::uint64_t free_disk_bytes) const;
  // All with which it can run together, wherever they stand.
  [[nodiscard]] std::vector<NodeId> fellows(std::span<const NodeId> queued, std::size_t head,
                                            std::uint64_t free_disk_bytes) const;
  [[nodiscard]] bool may_share_batch(NodeId head, NodeId other) const;
  [[nodiscard]] Resources needs_of(const Choice& choice) const;

  // --- run_results.cc
  void handle_done(NodeId id, const ExecutorEvent::Done& done);
  void handle_failed(NodeId id, const ExecutorEvent::Failed& failed);
  void handle_not_run(NodeId id);
  void handle_broke_down(NodeId id, const ExecutorEvent::BrokeDown& broken);
  void run_again(NodeId id);
  void handle_finished(Finished finished);
  void give_back(Action& action);
  void leave(Action& action);
  [[nodiscard]] bool may_share_scratch(const Node& node) const;
  void keep_scratch(const Node& node, Action& action);
  void keep_for_next_attempt(Action& action, ErrorKind why_it_failed);
  void note_failed_run(const Node& node, const Action& action, double seconds,
                       std::string_view outcome);

  const Environment& environment_;
  const BuildOptions& options_;
  const ProjectFiles& project_;
  const Graph& graph_;
  Progress& progress_;
  std::stop_token stop_;
  std::string run_id_;
  Journal journal_;
  Decider decider_;
  DonorSearch donors_;
  BuildStates states_;
  ResourcePools pools_;
  bool has_priorities_ = false;
  bool is_stopping_ = false;
  bool is_interrupted_ = false;
  std::string stop_reason_;
  // One warning of each kind: on a full disk every target has the same to say.
  bool has_warned_of_last_runs_ = false;
  bool has_warned_of_logs_ = false;

  std::vector<std::optional<NodeValue>> values_;  // of settled nodes, by id
  std::map<NodeId, Action> actions_;              // decided to run and not settled
  std::map<std::string, NodeId> by_request_;
  std::vector<cache::Scratch> idle_scratch_;
  std::size_t finishing_ = 0;      // their work is done, the finisher has them
  std::set<Digest> keys_at_work_;  // two nodes of one key are made one after the other
  std::map<std::uint64_t, Dispatch> dispatches_;
  std::uint64_t next_dispatch_ = 1;
  std::uint64_t next_request_ = 1;
  RunReport report_;

  // Last, so that their threads end before anything that they use does.
  EventQueue events_;
  std::unique_ptr<Finisher> finisher_;
  std::unique_ptr<Executor> light_;
  std::unique_ptr<Executor> heavy_;
};

}  // namespace qbuild::engine
