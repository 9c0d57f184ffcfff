#include "base/subprocess.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/base/expect_error.h"
#include "tests/base/shell.h"
#include "tests/base/temporary_folder.h"

namespace qbuild {
namespace {

using test::error_of;
using test::eventually;
using test::is_running;
using test::shell;
using test::start;
using test::text_of;

TEST(Subprocess, ReportsTheExitCode) {
  EXPECT_EQ(start(shell("exit 7"))->wait().exit_code, 7);
  const ProcessExit good = start(shell("true"))->wait();
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.signal, 0);
  EXPECT_GT(good.peak_memory_bytes, 0U);
}

TEST(Subprocess, ReportsTheSignalThatEndedIt) {
  const ProcessExit exit = start(shell("kill -9 $$"))->wait();
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_EQ(exit.exit_code, 128 + SIGKILL);
}

TEST(Subprocess, TalksThroughPipesLineByLine) {
  ProcessSpec spec = shell("while read line; do echo \"got $line\"; done; printf unended");
  spec.pipe_stdin = true;
  spec.pipe_stdout = true;
  const auto child = start(spec);
  EXPECT_TRUE(child->write("one\n"));
  EXPECT_EQ(child->read_line(100), "got one");
  EXPECT_TRUE(child->write("two\nthree\n"));
  EXPECT_EQ(child->read_line(100), "got two");
  EXPECT_EQ(child->read_line(100), "got three");
  child->close_stdin();
  EXPECT_EQ(child->read_line(100), "unended");
  EXPECT_EQ(child->read_line(100), std::nullopt);
  EXPECT_EQ(child->wait().exit_code, 0);
}

TEST(Subprocess, SecondChildDoesNotHoldTheFirstOnesStdinOpen) {
  ProcessSpec spec = shell("cat; echo end");
  spec.pipe_stdin = true;
  spec.pipe_stdout = true;
  const auto first = start(spec);
  const auto second = start(spec);
  first->close_stdin();
  EXPECT_EQ(first->read_line(100), "end");
  second->close_stdin();
  EXPECT_EQ(second->read_line(100), "end");
}

TEST(Subprocess, RefusesALineOverTheLimit) {
  ProcessSpec spec = shell("head -c 100000 /dev/zero | tr '\\0' x");
  spec.pipe_stdout = true;
  const auto child = start(spec);
  const Error error = error_of([&] { static_cast<void>(child->read_line(1000)); });
  EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  EXPECT_EQ(error.message(),
            "process " + std::to_string(child->pid()) + " printed a line of more than 1000 bytes");
}

TEST(Subprocess, WritingToAChildThatIsGoneIsAnAnswerNotASignal) {
  ProcessSpec spec = shell("exit 0");
  spec.pipe_stdin = true;
  spec.pipe_stdout = true;
  const auto child = start(spec);
  EXPECT_EQ(child->read_line(10), std::nullopt);
  EXPECT_TRUE(eventually([&] { return !child->write("anybody?\n"); }));
}

TEST(Subprocess, SeesExactlyTheEnvironmentItWasGiven) {
  ::setenv("QBUILD_TEST_SECRET", "s3cret", 1);
  ProcessSpec spec;
  spec.argv = {"/usr/bin/env"};
  spec.environment = {"A=1", "B=two=2"};
  spec.pipe_stdout = true;
  const auto child = start(spec);
  EXPECT_EQ(child->read_line(1000), "A=1");
  EXPECT_EQ(child->read_line(1000), "B=two=2");
  EXPECT_EQ(child->read_line(1000), std::nullopt);
  const std::vector<std::string> ours = current_environment();
  EXPECT_NE(std::find(ours.begin(), ours.end(), "QBUILD_TEST_SECRET=s3cret"), ours.end());
  EXPECT_TRUE(std::is_sorted(ours.begin(), ours.end()));
}

TEST(Subprocess, RunsInItsFolderAndAppendsBothOutputsToTheLog) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "log") << "before\n";
  ProcessSpec spec = shell("pwd; echo problem >&2");
  spec.working_directory = folder.path();
  spec.output_log = folder / "log";
  EXPECT_EQ(start(spec)->wait().exit_code, 0);
  EXPECT_EQ(text_of(folder / "log"),
            "before\n" + std::filesystem::canonical(folder.path()).string() + "\nproblem\n");
}

TEST(Subprocess, NamesAProgramThatIsNotThere) {
  ProcessSpec spec = shell("");
  spec.argv = {"no-such-program-x"};
  const Error error = error_of([&] { static_cast<void>(start(spec)); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(), "cannot start no-such-program-x: not found in PATH");
  spec.argv = {"/no/such/program"};
  EXPECT_EQ(error_of([&] { static_cast<void>(start(spec)); }).message(),
            "cannot start /no/such/program: no such file");
}

TEST(Subprocess, NamesAProgramThatIsNotExecutable) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "tool") << "#!/bin/sh\n";
  ProcessSpec spec = shell("");
  spec.argv = {(folder / "tool").string()};
  const Error error = error_of([&] { static_cast<void>(start(spec)); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_EQ(error.message(), "cannot start " + (folder / "tool").string() + ": not executable");
  spec.argv = {"tool"};
  spec.environment = {"PATH=" + folder.path().string()};
  EXPECT_EQ(error_of([&] { static_cast<void>(start(spec)); }).message(),
            "cannot start tool: not executable");
}

TEST(Subprocess, NamesAWorkingFolderThatIsNotThere) {
  ProcessSpec spec = shell("true");
  spec.working_directory = "/no/such/folder";
  const Error error = error_of([&] { static_cast<void>(start(spec)); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(), "cannot start sh: no such folder /no/such/folder");
}

TEST(Subprocess, SignalReachesWhatTheChildStarted) {
  ProcessSpec spec = shell("sleep 1000 & echo $!; wait");
  spec.pipe_stdout = true;
  const auto child = start(spec);
  const pid_t grandchild = std::stoi(child->read_line(100).value());
  std::thread other([&] { child->signal_group(SIGTERM); });
  const ProcessExit exit = child->wait();
  other.join();
  EXPECT_EQ(exit.signal, SIGTERM);
  EXPECT_TRUE(eventually([&] { return !is_running(grandchild); }));
  child->signal_group(SIGTERM);  // nobody's number any more: nothing happens
}

TEST(Subprocess, DestructorAndWaitLeaveNoProcessBehind) {
  ProcessSpec spec = shell("sleep 1000 & echo $!; exec >&-; read forever");
  spec.pipe_stdin = true;
  spec.pipe_stdout = true;
  pid_t grandchild = 0;
  {
    const auto child = start(spec);
    grandchild = std::stoi(child->read_line(100).value());
  }
  EXPECT_TRUE(eventually([&] { return !is_running(grandchild); }));
  spec = shell("sleep 1000 & echo $!");
  spec.pipe_stdout = true;
  const auto child = start(spec);
  grandchild = std::stoi(child->read_line(100).value());
  EXPECT_EQ(child->wait().exit_code, 0);
  EXPECT_TRUE(eventually([&] { return !is_running(grandchild); }));
}

TEST(Subprocess, ChildDoesNotInheritABlockedSignal) {
  sigset_t set;
  sigset_t before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, &before);
  const auto child = start(shell("kill -TERM $$; exit 0"));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(child->wait().signal, SIGTERM);
}

// A process starts a child and is killed; the child's pid.
pid_t child_of_one_that_was_killed(bool end_with_parent) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    ProcessSpec spec = shell("");
    spec.argv = {"sleep", "1000"};
    spec.end_with_parent = end_with_parent;
    const auto child = start(spec);
    const pid_t pid = child->pid();
    if (::write(ends[1], &pid, sizeof pid) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  pid_t child = 0;
  EXPECT_EQ(::read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  EXPECT_TRUE(is_running(child));
  EXPECT_EQ(::kill(parent, SIGKILL), 0);
  EXPECT_EQ(::waitpid(parent, nullptr, 0), parent);
  ::close(ends[0]);
  ::close(ends[1]);
  return child;
}

TEST(Subprocess, ChildThatEndsWithItsParentDoesSoWhenThatIsKilled) {
  const pid_t bound = child_of_one_that_was_killed(true);
  ASSERT_GT(bound, 0);
  EXPECT_TRUE(eventually([&] { return !is_running(bound); }));
  const pid_t free = child_of_one_that_was_killed(false);
  ASSERT_GT(free, 0);
  ::usleep(50'000);
  EXPECT_TRUE(is_running(free));
  ::kill(free, SIGKILL);
}

TEST(Subprocess, ChildThatEndsWithItsParentIsOtherwiseAsAnyOther) {
  ProcessSpec spec = shell("exit 7");
  spec.end_with_parent = true;
  EXPECT_EQ(start(spec)->wait().exit_code, 7);
}

}  // namespace
}  // namespace qbuild
