#include "cli/output.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>

namespace qbuild::cli {
namespace {

// A child with a stdout that nobody reads, as in `qbuild graph | head -1`.
TEST(Output, AReaderThatHasGoneIsNoError) {
  EXPECT_EXIT(
      {
        std::signal(SIGPIPE, SIG_IGN);
        int ends[2];
        if (::pipe(ends) != 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) std::_Exit(1);
        ::close(ends[0]);
        for (int i = 0; i < 100; ++i) print("{} {}\n", i, std::string(1000, 'x'));
        print_error("went on");
        std::_Exit(7);
      },
      testing::ExitedWithCode(7), "went on");
}

TEST(Output, AReaderThatHasGoneLeavesTheExitCodeAsItIs) {
  EXPECT_EXIT(
      {
        std::signal(SIGPIPE, SIG_IGN);
        int ends[2];
        if (::pipe(ends) != 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) std::_Exit(1);
        ::close(ends[0]);
        print("{}\n", std::string(100'000, 'x'));
        std::_Exit(finish_output(0) == 0 ? 7 : 1);
      },
      testing::ExitedWithCode(7), "");
}

TEST(Output, AFullDiskUnderStdoutMakesAFailureOfASuccess) {
  EXPECT_EXIT(
      {
        if (std::freopen("/dev/full", "w", stdout) == nullptr) std::_Exit(9);
        print("{}\n", "what nobody will read");
        std::_Exit(finish_output(0) == 1 && finish_output(3) == 3 ? 7 : 1);
      },
      testing::ExitedWithCode(7), "stdout cannot be written, so what it says is incomplete");
}

TEST(Output, WhatWasWrittenLeavesTheExitCodeAsItIs) {
  print("");
  EXPECT_EQ(finish_output(0), 0);
  EXPECT_EQ(finish_output(130), 130);
}

}  // namespace
}  // namespace qbuild::cli
