#pragma once
// One worker process and the thread that talks to it.

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
#include "engine/project_files.h"
#include "engine/worker_executor.h"

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
  WorkerProcess(const WorkerSetting& setting, unsigned number, Worker kind,
                std::vector<ActionRequest> first, EventQueue& events);
  // Closes its stdin and waits for it to end.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Takes the batch if it is idle and will go on; `batch` is then moved from.
  [[nodiscard]] bool try_assign(std::vector<ActionRequest>& batch);
  [[nodiscard]] bool has_ended() const;
  // SIGTERM to its group.
  void cancel();
  [[nodiscard]] std::shared_ptr<ChildHandle> child() const { return handle_; }

 private:
  void run();
  void serve(ChildProcess& child);
  // The batch, as far as it has come.
  void run_batch(ChildProcess& child, const std::vector<ActionRequest>& batch);
  void read_events(ChildProcess& child);
  // Ends what is left of the batch with the reason why the worker is of no use any more.
  void give_up(const Error& error);
  [[nodiscard]] Error describe_death(const ProcessExit& exit) const;
  [[nodiscard]] std::string last_words() const;

  const WorkerSetting& setting_;
  const fs::path log_;
  const Worker kind_;
  EventQueue& events_;
  std::shared_ptr<ChildHandle> handle_ = std::make_shared<ChildHandle>();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::vector<ActionRequest>> assigned_;  // not yet taken up
  bool is_idle_ = false;
  bool is_closing_ = false;
  bool is_cancelled_ = false;
  bool has_ended_ = false;

  // Of the thread alone: ids of the batch that have not ended, and the one that was started.
  std::vector<std::string> open_;
  std::string started_;
  bool has_worked_ = false;  // it has ended a batch
  std::uint64_t log_begin_ = 0;

  std::thread thread_;
};

}  // namespace qbuild::engine
