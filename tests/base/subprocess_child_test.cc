// Pipes to children, also those that somebody else holds.

#include "base/subprocess_child.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/base/shell.h"
#include "tests/base/temporary_folder.h"

namespace qbuild {
namespace {

using test::eventually;
using test::is_running;
using test::shell;
using test::start;
using test::text_of;

std::size_t read_to_the_end(ChildProcess& child) {
  std::size_t total = 0;
  for (std::string piece = child.read(100'000); !piece.empty(); piece = child.read(100'000))
    total += piece.size();
  return total;
}

TEST(SubprocessChild, ReadTakesAtMostWhatWasAskedFor) {
  ProcessSpec spec = shell("printf 'one\\ntwo'");
  spec.pipe_stdout = true;
  const auto child = start(spec);
  EXPECT_EQ(child->read_line(100), "one");
  EXPECT_EQ(child->read(2), "tw");
  EXPECT_EQ(child->read(2), "o");
  EXPECT_EQ(child->read(2), "");
}

TEST(SubprocessChild, BothOutputsComeInTheOrderOfWriting) {
  ProcessSpec spec = shell("echo one; echo two >&2; echo three");
  spec.pipe_stdout = true;
  spec.pipe_stderr = true;
  const auto child = start(spec);
  EXPECT_EQ(child->read_line(100), "one");
  EXPECT_EQ(child->read_line(100), "two");
  EXPECT_EQ(child->read_line(100), "three");
  EXPECT_EQ(child->read_line(100), std::nullopt);
}

TEST(SubprocessChild, WhatItWroteBeforeItsEndIsReadAfterIt) {
  ProcessSpec spec = shell("head -c 60000 /dev/zero");
  spec.pipe_stdout = true;
  const auto child = start(spec);
  EXPECT_EQ(child->wait().exit_code, 0);
  EXPECT_EQ(read_to_the_end(*child), 60'000U);
}

TEST(SubprocessChild, WhoeverElseHoldsItsOutputKeepsNoReaderWaiting) {
  ProcessSpec spec = shell("setsid sleep 1000 & echo $!");
  spec.pipe_stdout = true;
  const auto child = start(spec);
  const int other = std::stoi(child->read_line(100).value());
  EXPECT_EQ(child->read_line(100), std::nullopt);
  EXPECT_TRUE(is_running(other));
  EXPECT_EQ(child->wait().exit_code, 0);
  ::kill(other, SIGKILL);
}

TEST(SubprocessChild, WhoeverElseHoldsItsInputKeepsNoWriterWaiting) {
  ProcessSpec spec = shell("exec 3<&0; setsid sleep 1000 <&3 >&- & echo $!");
  spec.pipe_stdin = true;
  spec.pipe_stdout = true;
  const auto child = start(spec);
  const int other = std::stoi(child->read_line(100).value());
  EXPECT_FALSE(child->write(std::string(4u << 20, 'x')));
  EXPECT_TRUE(is_running(other));
  EXPECT_EQ(child->wait().exit_code, 0);
  ::kill(other, SIGKILL);
}

TEST(SubprocessChild, OutputWithoutEndFromSomebodyElseEndsWithTheChild) {
  const test::TemporaryFolder folder;
  ProcessSpec spec = shell("setsid yes & echo $! > pid; sleep 0.05");
  spec.working_directory = folder.path();
  spec.pipe_stdout = true;
  const auto child = start(spec);
  EXPECT_GT(read_to_the_end(*child), 0U);
  const int other = std::stoi(text_of(folder / "pid"));
  EXPECT_TRUE(is_running(other));
  EXPECT_EQ(child->wait().exit_code, 0);
  ::kill(other, SIGKILL);
}

TEST(SubprocessChild, AStoppedChildIsEndedByForce) {
  ProcessSpec spec = shell("echo here; kill -STOP $$; echo never");
  spec.pipe_stdin = true;
  spec.pipe_stdout = true;
  const auto child = start(spec);
  EXPECT_EQ(child->read_line(100), "here");
  const std::string stat = "/proc/" + std::to_string(child->pid()) + "/stat";
  ASSERT_TRUE(eventually([&] { return text_of(stat).find(") T ") != std::string::npos; }));
  child->signal_group(SIGTERM);  // a stopped process does not take it
  child->signal_group(SIGKILL);
  EXPECT_EQ(child->read_line(100), std::nullopt);
  EXPECT_EQ(child->wait().signal, SIGKILL);
}

}  // namespace
}  // namespace qbuild
