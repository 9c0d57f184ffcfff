#include "engine/worker_executor.h"

#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/error.h"
#include "engine/worker_process.h"

namespace qbuild::engine {
namespace {

class WorkerExecutor final : public Executor {
 public:
  WorkerExecutor(WorkerSetting setting, const RuleSet& rules, EventQueue& events)
      : setting_(std::move(setting)), rules_(rules), events_(events) {}

  ~WorkerExecutor() override {
    cancel();
    // An idle worker ends when its stdin closes, a busy one because it was told to.
    workers_.clear();
    if (killer_.joinable()) {
      killer_.request_stop();
      killer_.join();
    }
  }
  WorkerExecutor(const WorkerExecutor&) = delete;
  WorkerExecutor& operator=(const WorkerExecutor&) = delete;

  void start(Batch batch) override {
    std::erase_if(workers_, [](const auto& worker) { return worker->has_ended(); });
    if (is_cancelled_) {
      for (const ActionRequest& request : batch.actions) {
        events_.push(
            {request.id, ExecutorEvent::Failed{Error(ErrorKind::kCancelled, "interrupted"), 0}});
      }
      return;
    }
    const bool wants_fresh = rules_.traits(batch.actions.front().rule).worker == Worker::kFresh;
    if (!wants_fresh) {
      for (const auto& worker : workers_) {
        if (worker->try_assign(batch)) return;
      }
    }
    workers_.push_back(std::make_unique<WorkerProcess>(
        setting_, next_number_++, wants_fresh ? Worker::kFresh : Worker::kReused, std::move(batch),
        events_));
  }

  void cancel() override {
    if (is_cancelled_) return;
    is_cancelled_ = true;
    std::vector<std::shared_ptr<ChildHandle>> children;
    for (const auto& worker : workers_) {
      worker->cancel();
      children.push_back(worker->child());
    }
    killer_ = std::jthread([children = std::move(children)](const std::stop_token& stop) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any never;
      if (!never.wait_for(lock, stop, kCancelGrace, [] { return false; }) &&
          stop.stop_requested()) {
        return;
      }
      for (const auto& child : children) child->signal(SIGKILL);
    });
  }

 private:
  WorkerSetting setting_;
  const RuleSet& rules_;
  EventQueue& events_;
  unsigned next_number_ = 1;
  bool is_cancelled_ = false;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
  std::jthread killer_;
};

}  // namespace

ExecutorFactory make_worker_executors(FileSystem& files, ProcessRunner& processes,
                                      const RuleSet& rules, ProjectFiles project, WorkerSpec spec) {
  WorkerSetting setting{.files = files,
                        .processes = processes,
                        .project = std::move(project),
                        .spec = std::move(spec)};
  return [setting = std::move(setting), &rules](EventQueue& events) -> std::unique_ptr<Executor> {
    return std::make_unique<WorkerExecutor>(setting, rules, events);
  };
}

}  // namespace qbuild::engine
