// A worker program for tests: the real loop with rules that misbehave in every way a rule can. What
// they do stands in the parameter "do".

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

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
    const std::string action = request.params.get_string("do", "write");
    if (action == "abort") {
      fputs("something broke in matmul.cc:17\n", stderr);
      raise(SIGABRT);
    }
    if (action == "kill") raise(SIGKILL);
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

 private:
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
