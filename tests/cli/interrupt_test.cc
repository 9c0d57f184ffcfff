#include "cli/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace qbuild::cli {
namespace {

bool stops_soon(const std::stop_token& token) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!token.stop_requested() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return token.stop_requested();
}

// Ends the process as the second of two signals does; with 1 if it does not.
[[noreturn]] void be_interrupted_twice(int first, int second) {
  const Interrupt interrupt;
  ::kill(::getpid(), first);
  if (!stops_soon(interrupt.token())) _exit(1);
  ::kill(::getpid(), second);
  std::this_thread::sleep_for(std::chrono::seconds(20));
  _exit(1);
}

class InterruptBySignal : public ::testing::TestWithParam<int> {};

TEST_P(InterruptBySignal, TheFirstSignalAsksForAStopAndTheProcessGoesOn) {
  const Interrupt interrupt;
  EXPECT_FALSE(interrupt.token().stop_requested());
  ASSERT_EQ(::kill(::getpid(), GetParam()), 0);
  EXPECT_TRUE(stops_soon(interrupt.token()));
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptBySignal, ::testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& one) {
                           return one.param == SIGINT    ? "Int"
                                  : one.param == SIGTERM ? "Term"
                                                         : "Hup";
                         });

TEST(Interrupt, WithoutASignalNothingIsAskedFor) {
  std::stop_token token;
  {
    const Interrupt interrupt;
    token = interrupt.token();
  }
  EXPECT_FALSE(token.stop_requested());
}

TEST(Interrupt, ALaterOneBeginsAnew) {
  {
    const Interrupt first;
    ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
    ASSERT_TRUE(stops_soon(first.token()));
  }
  const Interrupt second;
  EXPECT_FALSE(second.token().stop_requested());
}

TEST(Interrupt, RunsWhatWaitsForTheStop) {
  const Interrupt interrupt;
  std::atomic<bool> ran = false;
  const std::stop_callback callback(interrupt.token(), [&] { ran = true; });
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  ASSERT_TRUE(stops_soon(interrupt.token()));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!ran && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(ran);
}

TEST(InterruptDeathTest, ASecondSignalEndsTheProcessAtOnceAndItsCodeNamesTheSignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(be_interrupted_twice(SIGINT, SIGINT), ::testing::ExitedWithCode(130), "");
  EXPECT_EXIT(be_interrupted_twice(SIGINT, SIGTERM), ::testing::ExitedWithCode(143), "");
}

}  // namespace
}  // namespace qbuild::cli
