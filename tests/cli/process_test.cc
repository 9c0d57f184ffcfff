#include "cli/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/builder.h"

namespace qbuild::cli {
namespace {

// In a child, because it changes the process. Exit code 0: all as it should be.
auto all_well() {
  return testing::ExitedWithCode(0);
}

void limit_open_files(rlim_t soft, rlim_t hard) {
  const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) std::_Exit(9);
}

// Whether writing to a file that may have no byte is refused.
bool is_refused() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  std::string name = testing::TempDir() + "qbuild-process-XXXXXX";
  const int file = ::mkstemp(name.data());
  ::unlink(name.c_str());
  if (file < 0 || ::setrlimit(RLIMIT_FSIZE, &none) != 0) return false;
  return ::write(file, "x", 1) < 0 && errno == EFBIG;
}

TEST(Process, AFileThatIsOpenedNeverGetsTheNumberOfAClosedStream) {
  EXPECT_EXIT(
      {
        ::close(STDIN_FILENO);
        ::close(STDOUT_FILENO);
        ::close(STDERR_FILENO);
        prepare_process();
        const int opened = ::open("/dev/zero", O_RDONLY);
        const bool goes_nowhere =
            ::write(STDOUT_FILENO, "x", 1) == 1 && ::write(STDERR_FILENO, "x", 1) == 1;
        char byte = 0;
        const bool is_empty = ::read(STDIN_FILENO, &byte, 1) == 0;
        std::_Exit(opened > STDERR_FILENO && goes_nowhere && is_empty ? 0 : 1);
      },
      all_well(), "");
}

TEST(Process, StreamsThatAreOpenStayWhatTheyAre) {
  EXPECT_EXIT(
      {
        prepare_process();
        std::fputs("still here", stderr);
        std::_Exit(0);
      },
      all_well(), "still here");
}

TEST(Process, AFileThatMayNotGrowIsAnErrorAndNoSignal) {
  EXPECT_EXIT(
      {
        prepare_process();
        std::_Exit(is_refused() ? 0 : 1);
      },
      all_well(), "");
}

TEST(Process, TheLimitOnOpenFilesIsRaisedAsFarAsAllowed) {
  EXPECT_EXIT(
      {
        limit_open_files(40, 100);
        prepare_process();
        rlimit now{};
        (void)::getrlimit(RLIMIT_NOFILE, &now);
        std::_Exit(now.rlim_cur == 100 && now.rlim_max == 100 ? 0 : 1);
      },
      all_well(), "");
}

TEST(Process, FewOpenFilesMakeFewJobsButNeverNone) {
  EXPECT_EXIT(
      {
        limit_open_files(64, 64);
        const bool one = jobs_within_open_files(0) == 1 && jobs_within_open_files(8) == 1;
        limit_open_files(8, 8);
        const bool never_none = jobs_within_open_files(0) == 1;
        std::_Exit(one && never_none ? 0 : 1);
      },
      all_well(), "");
}

TEST(Process, ManyOpenFilesLeaveTheJobsAsWanted) {
  EXPECT_EXIT(
      {
        limit_open_files(1024, 1024);
        std::_Exit(jobs_within_open_files(5) == 5 && jobs_within_open_files(0) >= 16 ? 0 : 1);
      },
      all_well(), "");
}

TEST(Process, FewOpenFilesMakeSmallGroupsButNeverNone) {
  EXPECT_EXIT(
      {
        // Downwards: a limit that was lowered cannot be raised by everybody.
        limit_open_files(4096, 4096);
        const bool whole = together_within_open_files(16) == engine::kMaxTogether;
        limit_open_files(64, 64);
        const bool some = together_within_open_files(1) == 11 && together_within_open_files(3) == 3;
        limit_open_files(8, 8);
        const bool never_none = together_within_open_files(1) == 1;
        std::_Exit(some && never_none && whole ? 0 : 1);
      },
      all_well(), "");
}

}  // namespace
}  // namespace qbuild::cli
