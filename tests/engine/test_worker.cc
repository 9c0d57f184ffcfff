// A worker program for tests: the real loop with rules that misbehave in every way a rule can. What
// they do stands in the parameter "do".

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "engine/worker_loop.h"
#include "tests/engine/piece_rule.h"

namespace qbuild::engine {
namespace {

using std::chrono::milliseconds;
using testing::make_of_pieces;

class TestRule final : public Rule {
 public:
  explicit TestRule(RuleTraits traits) : traits_(std::move(traits)) {}
  [[nodiscard]] const RuleTraits& traits() const override { return traits_; }

  [[nodiscard]] ActionResult run(const ActionRequest& request,
                                 ActionContext& context) const override {
    return run_one(request, context, Company::kAlone);
  }

  // First those that write or throw, then all others at once. What they have in common is a line
  // in a file.
  void run_together(std::span<const TogetherAction> actions,
                    const ActionEnded& ended) const override {
    const std::filesystem::path pid_file = actions[0].request.params.at("pid_file").as_string();
    std::ofstream(pid_file.parent_path() / "groups", std::ios::app) << actions.size() << std::endl;
    std::vector<std::size_t> slow;
    for (std::size_t i = 0; i < actions.size(); ++i) {
      const std::string what = actions[i].request.params.get_string("do", "write");
      if (what == "write" || what == "throw") {
        ended(i, outcome_of(actions[i]));
      } else {
        slow.push_back(i);
      }
    }
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::pair<std::size_t, ActionOutcome>> outcomes;
    std::vector<std::thread> threads;
    for (const std::size_t i : slow) {
      threads.emplace_back([&, i] {
        ActionOutcome outcome = outcome_of(actions[i]);
        const std::lock_guard lock(mutex);
        outcomes.emplace_back(i, std::move(outcome));
        changed.notify_all();
      });
    }
    for (std::size_t n = 0; n < slow.size(); ++n) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !outcomes.empty(); });
      auto [place, outcome] = std::move(outcomes.front());
      outcomes.pop_front();
      lock.unlock();
      ended(place, std::move(outcome));
    }
    for (std::thread& thread : threads) thread.join();
  }

 private:
  enum class Company { kAlone, kGroup };

  [[nodiscard]] static ActionOutcome outcome_of(const TogetherAction& action) {
    try {
      return {.result = run_one(action.request, action.context, Company::kGroup), .error = {}};
    } catch (const Error& error) {
      return {.result = {}, .error = error};
    }
  }

  [[nodiscard]] static ActionResult run_one(const ActionRequest& request, ActionContext& context,
                                            Company company) {
    const std::string action = request.params.get_string("do", "write");
    if (action == "abort") {
      fputs("something broke in matmul.cc:17\n", stderr);
      raise(SIGABRT);
    }
    if (action == "kill") raise(SIGKILL);
    if (action == "kill_group" && company == Company::kGroup) raise(SIGKILL);
    if (action == "wait_in_group" && company == Company::kGroup) {
      while (!context.stop().stop_requested()) std::this_thread::sleep_for(milliseconds(5));
      throw Error(ErrorKind::kCancelled, "stopped");
    }
    if (action == "exit") _exit(7);
    if (action == "throw") throw Error(ErrorKind::kInvalidInput, "bad tensor");
    if (action == "throw_foreign") throw std::out_of_range("index 9");
    if (action == "print") printf("{\"event\":\"done\",\"id\":\"%s\"}\n", request.id.c_str());
    if (action == "wait") {
      note_pid(request);
      while (!context.stop().stop_requested()) std::this_thread::sleep_for(milliseconds(5));
      throw Error(ErrorKind::kCancelled, "stopped");
    }
    if (action == "deaf") {
      note_pid(request);
      for (;;) std::this_thread::sleep_for(milliseconds(50));
    }
    if (action == "pieces")
      return make_of_pieces(request, context,
                            [&](std::size_t done) { interrupt(request, context, done); });
    if (action == "nap") std::this_thread::sleep_for(milliseconds(400));
    if (action == "flood")
      for (int i = 0; i < 100'000; ++i) context.log(std::string(200, 'x'));
    if (action == "flood_stderr") {
      const std::string line(1023, 'x');
      for (int i = 0; i < 32'000; ++i) fprintf(stderr, "%s\n", line.c_str());
      std::this_thread::sleep_for(milliseconds(500));
    }
    context.log("working");
    context.progress(1, 2, "bytes");
    context.progress(2, 2, "bytes");
    ActionResult result;
    const std::string text = request.params.get_string("text") + " by " + std::to_string(getpid());
    std::ofstream(request.scratch / "out", std::ios::binary) << text;
    result.files.push_back({.name = "out",
                            .path = request.scratch / "out",
                            .sha256 = sha256(text),
                            .size_bytes = text.size()});
    result.inline_files["pid"] = std::to_string(getpid());
    return result;
  }

  static void note_pid(const ActionRequest& request) {
    const std::filesystem::path path = request.params.at("pid_file").as_string();
    std::ofstream(path.string() + ".tmp") << getpid();
    std::filesystem::rename(path.string() + ".tmp", path);
  }

  // What happens when so many pieces are done stands where the key does not see it.
  static void interrupt(const ActionRequest& request, ActionContext& context, std::size_t done) {
    if (request.context.get_int("at", -1) != static_cast<std::int64_t>(done)) return;
    const std::string then = request.context.get_string("then");
    if (then == "kill") raise(SIGKILL);
    if (then == "abort") raise(SIGABRT);
    if (then == "throw") throw Error(ErrorKind::kInvalidInput, "bad tensor");
    note_pid(request);
    while (!context.stop().stop_requested()) std::this_thread::sleep_for(milliseconds(5));
    throw Error(ErrorKind::kCancelled, "stopped");
  }

  RuleTraits traits_;
};

int run_test_worker() {
  RuleSet rules;
  rules.add(std::make_unique<TestRule>(RuleTraits{.name = "make", .version = "1"}));
  rules.add(std::make_unique<TestRule>(RuleTraits{.name = "fused", .version = "1", .fuses = true}));
  rules.add(std::make_unique<TestRule>(
      RuleTraits{.name = "fresh", .version = "1", .worker = Worker::kFresh}));
  rules.add(std::make_unique<TestRule>(
      RuleTraits{.name = "resuming", .version = "1", .max_attempts = 2, .resumes = true}));
  return run_worker(rules);
}

}  // namespace
}  // namespace qbuild::engine

int main() {
  return qbuild::engine::run_test_worker();
}
