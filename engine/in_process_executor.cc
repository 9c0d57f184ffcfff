#include "engine/in_process_executor.h"

#include <atomic>
#include <thread>
#include <vector>

#include "engine/action_runner.h"

namespace qbuild::engine {
namespace {

class InProcessExecutor final : public Executor {
 public:
  InProcessExecutor(const Seams& seams, const RuleSet& rules, EventQueue& events)
      : seams_(seams), rules_(rules), events_(events) {}

  ~InProcessExecutor() override {
    cancel();
    for (Running& running : running_) running.thread.join();
  }
  InProcessExecutor(const InProcessExecutor&) = delete;
  InProcessExecutor& operator=(const InProcessExecutor&) = delete;

  void start(Batch batch) override {
    join_finished();
    auto is_done = std::make_unique<std::atomic<bool>>(false);
    std::atomic<bool>& done = *is_done;
    std::thread thread([this, batch = std::move(batch), &done] {
      run(batch);
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

  void run(const Batch& batch) {
    const EventSink sink = [this](ExecutorEvent event) { events_.push(std::move(event)); };
    if (batch.order == Batch::Order::kTogether) {
      run_together(batch.actions, rules_, seams_, stop_.get_token(), sink);
      return;
    }
    for (const ActionRequest& request : batch.actions)
      run_action(request, rules_, seams_, stop_.get_token(), sink);
  }

  Seams seams_;
  const RuleSet& rules_;
  EventQueue& events_;
  std::stop_source stop_;
  std::vector<Running> running_;
};

}  // namespace

std::unique_ptr<Executor> make_in_process_executor(FileSystem& files, Clock& clock,
                                                   ProcessRunner& processes, const RuleSet& rules,
                                                   EventQueue& events) {
  return std::make_unique<InProcessExecutor>(Seams{files, clock, processes}, rules, events);
}

}  // namespace qbuild::engine
