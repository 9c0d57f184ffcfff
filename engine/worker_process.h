#pragma once
// One worker process and the thread that talks to it. Nothing that the worker does keeps that
// thread for ever, and what it writes is believed only as far as engine/worker_protocol.h allows
// it.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/file_system.h"
#include "base/subprocess.h"
#include "engine/executor.h"
#include "engine/open_actions.h"
#include "engine/project_files.h"
#include "engine/worker_executor.h"
#include "engine/worker_guard.h"

namespace qbuild::engine {

struct WorkerSetting {
  FileSystem& files;
  ProcessRunner& processes;
  ProjectFiles project;
  WorkerSpec spec;
};

// The child while it lives, for those who want to signal it from another thread.
class ChildHandle {
 public:
  // One that has not begun is signalled as soon as it begins; one that ended, never.
  void signal(int number);
  void set(ChildProcess* child);  // null: it ended

 private:
  std::mutex mutex_;
  ChildProcess* child_ = nullptr;
  std::optional<int> pending_;
};

class WorkerProcess {
 public:
  // Starts the process and gives it its first batch, both from its own thread.
  WorkerProcess(const WorkerSetting& setting, unsigned number, Worker kind, Batch first,
                EventQueue& events);
  // Closes its stdin and waits for it to end.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Takes the batch if it is idle and will go on; `batch` is then moved from.
  [[nodiscard]] bool try_assign(Batch& batch);
  [[nodiscard]] bool has_ended() const;
  // SIGTERM to its group.
  void cancel();
  [[nodiscard]] std::shared_ptr<ChildHandle> child() const { return handle_; }

 private:
  void run();
  void serve(ChildProcess& child, WorkerGuard& guard);
  [[nodiscard]] std::optional<Batch> next_batch();
  // The batch, as far as it comes: to its end, or to the end of the stream. Throws Error if the
  // worker writes what no worker may.
  void run_batch(ChildProcess& child, WorkerGuard& guard, const Batch& batch);
  [[nodiscard]] bool greet(ChildProcess& child, WorkerGuard& guard);
  void read_events(ChildProcess& child, WorkerGuard& guard);
  // What becomes of an event with which an action ends.
  void end_one(ExecutorEvent event, WorkerGuard& guard);
  // From now until the next time limit.
  void watch(WorkerGuard& guard);
  // Ends what is left of the batch with the reason why the worker is of no use any more.
  void give_up(const Error& error, const WorkerGuard& guard);
  // Its stdin closed, waited for, and killed if it stays.
  [[nodiscard]] Error await_death(ChildProcess& child, WorkerGuard& guard);
  [[nodiscard]] Error describe_death(const ProcessExit& exit) const;
  [[nodiscard]] std::string last_words() const;
  [[nodiscard]] bool is_cancelled() const;
  // The worker did not even start.
  void fail_all(const Error& error);

  const WorkerSetting& setting_;
  const fs::path log_;
  const Worker kind_;
  EventQueue& events_;
  std::shared_ptr<ChildHandle> handle_ = std::make_shared<ChildHandle>();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Batch> assigned_;  // not yet taken up
  bool is_idle_ = false;
  bool is_closing_ = false;
  bool is_cancelled_ = false;
  bool has_ended_ = false;

  // Of the thread alone.
  OpenActions open_;
  std::chrono::steady_clock::time_point batch_begin_;
  bool is_greeted_ = false;
  bool has_worked_ = false;  // it has ended a batch
  std::uint64_t log_begin_ = 0;

  std::thread thread_;
};

}  // namespace qbuild::engine
