#pragma once
// The seam to where actions run: in this process, in worker processes, some day on a cluster. An
// executor takes batches and answers with events in a queue; it decides nothing about order,
// resources or retries.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "engine/grace.h"
#include "engine/rule.h"

namespace qbuild::engine {

// Of the action with that id.
struct ExecutorEvent {
  struct Started {};
  struct Progress {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::string unit;
  };
  struct Log {
    std::string line;
  };
  // Exactly one Done, Failed, NotRun or BrokeDown ends an action.
  struct Done {
    ActionResult result;
    double seconds = 0;
    std::uint64_t peak_memory_bytes = 0;
  };
  struct Failed {
    Error error{ErrorKind::kInternal, ""};
    double seconds = 0;
  };
  // Its batch broke down before it was begun; it may be given to an executor again.
  struct NotRun {};
  // Its batch broke down while it ran together with others, and any of them may be to blame; it may
  // be given to an executor again, alone.
  struct BrokeDown {
    Error error{ErrorKind::kInternal, ""};
  };

  std::string id;
  std::variant<Started, Progress, Log, Done, Failed, NotRun, BrokeDown> what;
};

// From the executors' threads to the engine's loop.
class EventQueue {
 public:
  // Beyond it whoever reports or logs waits until the loop has caught up; ends of actions and their
  // beginnings never wait.
  static constexpr std::size_t kMaxWaitingBytes = 4u << 20;

  void push(ExecutorEvent event);
  // What is pushed from now on is dropped, and nobody waits for room: before executors are
  // destroyed by the thread that takes.
  void close();
  // Wakes the loop without an event (a stop was asked for).
  void wake();
  // Everything that is there; waits up to `timeout` for the first one.
  [[nodiscard]] std::vector<ExecutorEvent> take(std::chrono::nanoseconds timeout);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable has_room_;
  std::deque<ExecutorEvent> events_;
  std::size_t waiting_bytes_ = 0;  // of what was reported and logged
  bool woken_ = false;
  bool is_closed_ = false;
};

// One rule for all of a batch.
struct Batch {
  enum class Order : std::uint8_t {
    kInTurn,    // one after another, as they stand here
    kTogether,  // at once (Rule::run_together); each ends when it ends
  };
  std::vector<ActionRequest> actions;
  Order order = Order::kInTurn;
};

class Executor {
 public:
  // Stops what runs (as cancel does) and waits for its end.
  virtual ~Executor() = default;
  // Does not block. Failing to start is an event too.
  virtual void start(Batch batch) = 0;
  // Asks everything that runs to stop, and ends it by force after kCancelGrace. Each action still
  // ends with an event (Failed with kCancelled, or Done if it was quicker). Does not block.
  virtual void cancel() = 0;
};

// Makes an executor that reports to the queue, which outlives it.
using ExecutorFactory = std::function<std::unique_ptr<Executor>(EventQueue& events)>;

}  // namespace qbuild::engine
