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

}  // namespace
}  // namespace qbuild::cli
