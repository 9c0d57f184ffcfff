#include "engine/in_process_executor.h"

#include <atomic>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/machine.h"
#include "engine/fence.h"

namespace qbuild::engine {
namespace {

class ThreadContext final : public ActionContext {
 public:
  ThreadContext(std::string id, std::stop_token stop, FileSystem& files, Clock& clock,
                ProcessRunner& processes, EventQueue& events)
      : id_(std::move(id)),
        stop_(std::move(stop)),
        files_(files),
        clock_(clock),
        processes_(processes),
        events_(events) {}

  void progress(std::uint64_t done, std::uint64_t total, std::string_view unit) override {
    events_.push({id_, ExecutorEvent::Progress{done, total, std::string(unit)}});
  }
  void log(std::string_view line) override {
    events_.push({id_, ExecutorEvent::Log{std::string(line)}});
  }
  [[nodiscard]] std::stop_token stop() const override { return stop_; }
  [[nodiscard]] FileSystem& file_system() override { return files_; }
  [[nodiscard]] Clock& clock() override { return clock_; }
  [[nodiscard]] ProcessRunner& processes() override { return processes_; }

 private:
  std::string id_;
  std::stop_token stop_;
  FileSystem& files_;
  Clock& clock_;
  ProcessRunner& processes_;
  EventQueue& events_;
};

class InProcessExecutor final : public Executor {
 public:
  InProcessExecutor(FileSystem& files, Clock& clock, ProcessRunner& processes, const RuleSet& rules,
                    EventQueue& events)
      : files_(files), clock_(clock), processes_(processes), rules_(rules), events_(events) {}

  ~InProcessExecutor() override {
    cancel();
    for (Running& running : running_) running.thread.join();
  }
  InProcessExecutor(const InProcessExecutor&) = delete;
  InProcessExecutor& operator=(const InProcessExecutor&) = delete;

  void start(std::vector<ActionRequest> batch) override {
    join_finished();
    auto is_done = std::make_unique<std::atomic<bool>>(false);
    std::atomic<bool>& done = *is_done;
    std::thread thread([this, batch = std::move(batch), &done] {
      for (const ActionRequest& request : batch) run(request);
      done = true;
    });
    running_.push_back({std::move(thread), std::move(is_done)});
  }

  void cancel() override { stop_.request_stop(); }

 private:
  struct Running {
    std::thread thread;
    std::unique_ptr<std::atomic<bool>> is_done;
  };

  // Only the engine's loop starts actions, so the list needs no lock.
  void join_finished() {
    std::erase_if(running_, [](Running& running) {
      if (!*running.is_done) return false;
      running.thread.join();
      return true;
    });
  }

  void run(const ActionRequest& request) {
    const Rule* const rule = rules_.find(request.rule);
    check(rule != nullptr, "an action of this process has its rule linked");
    ThreadContext context(request.id, stop_.get_token(), files_, clock_, processes_, events_);
    events_.push({request.id, ExecutorEvent::Started{}});
    const std::int64_t begin_ns = clock_.monotonic_ns();
    ExecutorEvent::Done done;
    const std::optional<Error> error = run_fenced(
        [&] { done.result = rule->run(request, context); }, [&] { return stop_.stop_requested(); });
    const double seconds = static_cast<double>(clock_.monotonic_ns() - begin_ns) * 1e-9;
    if (error) {
      events_.push({request.id, ExecutorEvent::Failed{*error, seconds}});
      return;
    }
    done.seconds = seconds;
    done.peak_memory_bytes = peak_resident_bytes();
    events_.push({request.id, std::move(done)});
  }

  FileSystem& files_;
  Clock& clock_;
  ProcessRunner& processes_;
  const RuleSet& rules_;
  EventQueue& events_;
  std::stop_source stop_;
  std::vector<Running> running_;
};

}  // namespace

std::unique_ptr<Executor> make_in_process_executor(FileSystem& files, Clock& clock,
                                                   ProcessRunner& processes, const RuleSet& rules,
                                                   EventQueue& events) {
  return std::make_unique<InProcessExecutor>(files, clock, processes, rules, events);
}

}  // namespace qbuild::engine
