#include "engine/worker_guard.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "engine/grace.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

using std::chrono::milliseconds;

class WorkerGuardTest : public ::testing::Test {
 protected:
  std::unique_ptr<ChildProcess> start(const std::string& script) {
    auto child = processes_->start({.argv = {"/bin/sh", "-c", script},
                                    .environment = current_environment(),
                                    .working_directory = {},
                                    .output_log = {},
                                    .pipe_stdin = true,
                                    .pipe_stdout = true});
    EXPECT_EQ(child->read_line(100), "ready");
    return child;
  }

  TemporaryFolder folder_;
  fs::path log_ = folder_.path() / "log";
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  std::unique_ptr<ProcessRunner> processes_ = make_process_runner();
};

TEST_F(WorkerGuardTest, TellsALateOneToEnd) {
  const auto child = start("echo ready; exec sleep 300");
  WorkerGuard guard(*child, *files_, log_);
  guard.watch(milliseconds(50));
  EXPECT_EQ(child->wait().signal, SIGTERM);
  EXPECT_TRUE(guard.has_told_to_end());
  EXPECT_FALSE(guard.has_killed());
  EXPECT_FALSE(guard.release());
}

TEST_F(WorkerGuardTest, KillsOneThatDoesNotListen) {
  const auto child = start("trap '' TERM; echo ready; while :; do sleep 1; done");
  WorkerGuard guard(*child, *files_, log_);
  const auto begin = std::chrono::steady_clock::now();
  guard.watch(milliseconds(50));
  EXPECT_EQ(child->wait().signal, SIGKILL);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, kCancelGrace);
  EXPECT_TRUE(guard.has_killed());
}

TEST_F(WorkerGuardTest, LeavesAloneWhatEndedInTime) {
  const auto child = start("echo ready; sleep 0.3; exit 7");
  WorkerGuard guard(*child, *files_, log_);
  guard.watch(milliseconds(200));
  EXPECT_TRUE(guard.release());
  EXPECT_EQ(child->wait().exit_code, 7);
  EXPECT_FALSE(guard.has_told_to_end());
}

TEST_F(WorkerGuardTest, KillsAtOnceWhatIsToBeKilled) {
  const auto child = start("trap '' TERM; echo ready; while :; do sleep 1; done");
  WorkerGuard guard(*child, *files_, log_);
  guard.kill_after(milliseconds(50));
  EXPECT_EQ(child->wait().signal, SIGKILL);
  EXPECT_FALSE(guard.has_told_to_end());
}

}  // namespace
}  // namespace qbuild::engine::testing
