// A killed engine leaves no worker behind, and the next run finds everything as if nothing had
// been.

#include "engine/worker_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/engine/worker_build.h"

namespace qbuild::engine::testing {
namespace {

TEST(WorkerProcess, EndsWhenItsEngineIsKilled) {
  TemporaryFolder folder;
  const auto processes = make_process_runner();
  const auto engine = processes->start({.argv = {TEST_ENGINE, folder.path().string(), "wait"},
                                        .environment = current_environment(),
                                        .working_directory = {},
                                        .output_log = {},
                                        .pipe_stdin = false,
                                        .pipe_stdout = false});
  int workers[2]{};
  for (int i = 0; i < 2; ++i) {
    const fs::path pid_file = folder.path() / ("pid" + std::to_string(i));
    for (int n = 0; n < 6000 && !fs::exists(pid_file); ++n) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    workers[i] = std::stoi(read_text(pid_file));
  }
  ASSERT_EQ(::kill(engine->pid(), SIGKILL), 0);
  EXPECT_TRUE(has_gone(workers[0], 5));
  EXPECT_TRUE(has_gone(workers[1], 5));
  EXPECT_EQ(engine->wait().signal, SIGKILL);

  // What the killed engine had under way is gone, and nothing that it finished is done again.
  const auto again = processes->start({.argv = {TEST_ENGINE, folder.path().string(), "write"},
                                       .environment = current_environment(),
                                       .working_directory = {},
                                       .output_log = {},
                                       .pipe_stdin = false,
                                       .pipe_stdout = true});
  EXPECT_EQ(again->read_line(1000), "executed 2 reused 1 exit 0");
  EXPECT_EQ(again->wait().exit_code, 0);
  EXPECT_TRUE(scratch_in(folder.path() / "store").empty());
}

}  // namespace
}  // namespace qbuild::engine::testing
