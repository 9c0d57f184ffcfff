// The worker program by itself: what it does when the engine goes away.

#include "engine/worker_loop.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "engine/worker_protocol.h"
#include "tests/engine/worker_build.h"

namespace qbuild::engine::testing {
namespace {

class WorkerLoop : public ::testing::Test {
 protected:
  WorkerLoop() {
    child = processes->start({.argv = {TEST_WORKER},
                              .environment = current_environment(),
                              .working_directory = {},
                              .output_log = folder.path() / "stderr",
                              .pipe_stdin = true,
                              .pipe_stdout = true});
  }

  [[nodiscard]] ActionRequest request(const std::string& what) const {
    ActionRequest request;
    request.id = "1";
    request.rule = "make";
    request.params =
        Json::object({{"do", what}, {"text", "t"}, {"pid_file", (folder.path() / "pid").string()}});
    request.context = Json::object();
    request.scratch = folder.path();
    return request;
  }
  [[nodiscard]] ExecutorEvent next_event() {
    const auto line = child->read_line(kMaxWorkerLine);
    return line ? parse_event(*line) : ExecutorEvent{};
  }
  void greet() { check_hello(child->read_line(kMaxWorkerLine).value()); }

  TemporaryFolder folder;
  std::unique_ptr<ProcessRunner> processes = make_process_runner();
  std::unique_ptr<ChildProcess> child;
};

TEST_F(WorkerLoop, EndsWhenItsStdinCloses) {
  greet();
  child->close_stdin();
  EXPECT_EQ(child->wait().exit_code, 0);
}

TEST_F(WorkerLoop, ReportsEachStepOfAnAction) {
  greet();
  child->write(batch_line({.actions = {request("write")}}));
  EXPECT_TRUE(std::holds_alternative<ExecutorEvent::Started>(next_event().what));
  EXPECT_EQ(std::get<ExecutorEvent::Log>(next_event().what).line, "working");
  EXPECT_EQ(std::get<ExecutorEvent::Progress>(next_event().what).done, 1u);
  EXPECT_EQ(std::get<ExecutorEvent::Progress>(next_event().what).done, 2u);
  const auto done = std::get<ExecutorEvent::Done>(next_event().what);
  EXPECT_EQ(done.result.files.at(0).name, "out");
  EXPECT_GT(done.peak_memory_bytes, 0u);
}

TEST_F(WorkerLoop, ActionsThatRunTogetherAllBeginBeforeOneEnds) {
  greet();
  Batch batch{.actions = {request("nap"), request("throw")}, .order = Batch::Order::kTogether};
  batch.actions[1].id = "2";
  for (ActionRequest& action : batch.actions) action.rule = "fused";
  child->write(batch_line(batch));
  EXPECT_TRUE(std::holds_alternative<ExecutorEvent::Started>(next_event().what));
  EXPECT_TRUE(std::holds_alternative<ExecutorEvent::Started>(next_event().what));
  const ExecutorEvent failed = next_event();
  EXPECT_EQ(failed.id, "2");
  EXPECT_EQ(std::get<ExecutorEvent::Failed>(failed.what).error.message(), "bad tensor");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(next_event().id, "1");
  const ExecutorEvent done = next_event();
  EXPECT_EQ(done.id, "1");
  EXPECT_GT(std::get<ExecutorEvent::Done>(done.what).seconds, 0.3);
  child->write("{\"batch\":[],\"together\":true}\n");
  child->close_stdin();
  EXPECT_EQ(child->wait().exit_code, 0);
}

TEST_F(WorkerLoop, StopsAnActionWhenTheEngineIsGone) {
  greet();
  child->write(batch_line({.actions = {request("wait")}}));
  static_cast<void>(next_event());
  child->close_stdin();
  const auto failed = std::get<ExecutorEvent::Failed>(next_event().what);
  EXPECT_EQ(failed.error.kind(), ErrorKind::kCancelled);
  EXPECT_EQ(child->wait().exit_code, 0);
}

TEST_F(WorkerLoop, EndsInTheMiddleOfADeafActionAfterItsGrace) {
  greet();
  child->write(batch_line({.actions = {request("deaf")}}));
  static_cast<void>(next_event());
  const auto begin = std::chrono::steady_clock::now();
  child->close_stdin();
  EXPECT_EQ(child->wait().exit_code, 3);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(WorkerLoop, ObeysSigterm) {
  greet();
  child->write(batch_line({.actions = {request("wait")}}));
  static_cast<void>(next_event());
  child->signal_group(SIGTERM);
  EXPECT_EQ(child->wait().exit_code, 0);
}

TEST_F(WorkerLoop, NamesARuleThatItLacks) {
  greet();
  ActionRequest unknown = request("write");
  unknown.rule = "telepathy";
  child->write(batch_line({.actions = {unknown}}));
  static_cast<void>(next_event());
  EXPECT_EQ(
      std::get<ExecutorEvent::Failed>(next_event().what).error.message(),
      "there is no rule \"telepathy\" here; install qbuild and qbuild-worker of the same version");
}

TEST_F(WorkerLoop, RefusesNonsenseFromTheEngine) {
  greet();
  child->write("{\"batch\":[7]}\n");
  EXPECT_EQ(child->wait().exit_code, 2);
  EXPECT_EQ(read_text(folder.path() / "stderr").find("qbuild-worker: a line that is no event: "),
            0u);
}

}  // namespace
}  // namespace qbuild::engine::testing
