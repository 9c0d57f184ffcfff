#pragma once
// The actions of a worker's batch that have not ended: what may be said of them, whose time limit
// comes next, and what becomes of those that are left when the worker is of no use any more.
// Bookkeeping alone: it knows no process.
//
// Of a batch that runs in turn one action is at work, and it is to blame if the worker dies; what
// was not begun is blameless. Of a batch that runs together any may be to blame: so none is, and
// each that was begun may run once more, alone, where there is no doubt. Only a time limit has
// passed for certain actions and no others.

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/executor.h"

namespace qbuild::engine {

// A worker that says nothing at all is no worker.
inline constexpr std::chrono::milliseconds kGreetingLimit = std::chrono::minutes(5);

// Why a worker is of no use any more, and what is known of it.
struct Breakdown {
  Error error{ErrorKind::kInternal, ""};
  bool was_told_to_end = false;  // because a time limit had passed
  bool is_cancelled = false;     // because the run was
  bool is_greeted = false;
  bool has_worked = false;  // it ended a batch before
};

class OpenActions {
 public:
  void add(const Batch& batch);
  [[nodiscard]] bool empty() const { return open_.empty(); }

  // How long from now until the first of them is late: in turn, of the one whose turn it is, if it
  // begins now; together, of all.
  [[nodiscard]] std::chrono::milliseconds until_late(std::chrono::milliseconds since_begin);
  // The same for the greeting before the batch.
  [[nodiscard]] std::chrono::milliseconds greeting_limit() const;

  // Throws Error (kCorrupt) if a worker may not say this now.
  void check_turn(const ExecutorEvent& event) const;
  // What check_turn let pass.
  void start(std::string_view id);
  void end(std::string_view id);
  // In a worker that was told to end: what this end means.
  [[nodiscard]] ExecutorEvent end_late(ExecutorEvent event);
  [[nodiscard]] Batch::Order order() const { return order_; }
  [[nodiscard]] std::vector<std::string> started() const;

  // Ends what is left.
  [[nodiscard]] std::vector<ExecutorEvent> give_up(const Breakdown& breakdown);
  // The worker did not even start: neither would another one.
  [[nodiscard]] std::vector<ExecutorEvent> fail_all(const Error& error);

 private:
  struct Open {
    std::string id;
    std::chrono::milliseconds limit;
    bool is_started = false;
  };

  [[nodiscard]] const Open* find(std::string_view id) const;
  [[nodiscard]] std::chrono::milliseconds shortest_limit() const;
  [[nodiscard]] bool is_late(const Open& action) const;
  [[nodiscard]] Error too_late(const Open& action) const;
  [[nodiscard]] ExecutorEvent left_in_turn(const Open& action, const Breakdown& breakdown) const;
  [[nodiscard]] ExecutorEvent left_together(const Open& action, const Breakdown& breakdown) const;

  std::deque<Open> open_;  // in the batch's order
  Batch::Order order_ = Batch::Order::kInTurn;
  std::chrono::milliseconds watched_{0};  // the limit that comes next
  bool has_begun_ = false;                // something of the batch was begun
  bool has_blamed_ = false;  // in turn: the one that was at work when it was told has ended
};

}  // namespace qbuild::engine
