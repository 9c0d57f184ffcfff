// The calls that a whole small run makes to the disk fail, one in each run: every call of a kind,
// or a hundred of those that come by the hundred, and by turns with the errnos that disks know.
// Nobody is told a lie: the run says so or did without, the store is sound, and the next run leaves
// what an undisturbed one leaves.

#include <gmock/gmock.h>

#include <cerrno>

#include "base/error.h"
#include "tests/faults/small_project.h"

namespace qbuild::faults {
namespace {

using Call = FakeFileSystem::Call;

struct Case {
  Call call;
  const char* name;
};

class ACallFails : public testing::TestWithParam<Case> {};

TEST_P(ACallFails, AndTheRunSaysSoOrDidWithoutAndTheNextOneLeavesTheSameBytes) {
  FakeFileSystem calm;
  put_small_project(calm);
  ASSERT_EQ(failures(publish_small_project(calm)), "");
  const std::uint64_t calls = calm.count(GetParam().call);
  ASSERT_GT(calls, 0u);
  constexpr int kErrors[]{EIO, ENOSPC, EACCES, EMFILE, EROFS};
  const std::uint64_t step = 1 + calls / 120;
  for (std::uint64_t nth = 1; nth <= calls && !HasFailure(); nth += step) {
    const int error_number = kErrors[nth % std::size(kErrors)];
    SCOPED_TRACE(testing::Message() << GetParam().name << " " << nth << " errno " << error_number);
    FakeFileSystem disk;
    put_small_project(disk);
    disk.fail(GetParam().call, nth, error_number);
    try {
      const engine::RunReport report = publish_small_project(disk);
      if (engine::exit_code(report) == 0) {
        EXPECT_EQ(failures(report), "");
        EXPECT_EQ(difference(results(calm), results(disk)), "");
      }
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.message();
    }
    disk.forget_failures();
    EXPECT_EQ(damages(disk), "");
    EXPECT_EQ(failures(publish_small_project(disk)), "");
    EXPECT_EQ(difference(results(calm), results(disk)), "");
    EXPECT_EQ(damages(disk), "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Calls, ACallFails,
    testing::Values(Case{Call::kStat, "Stat"}, Case{Call::kOpen, "Open"}, Case{Call::kRead, "Read"},
                    Case{Call::kCreate, "Create"}, Case{Call::kWrite, "Write"},
                    Case{Call::kFlush, "Flush"}, Case{Call::kClose, "Close"},
                    Case{Call::kRename, "Rename"}, Case{Call::kRemove, "Remove"},
                    Case{Call::kCreateDirectories, "CreateDirectories"}, Case{Call::kList, "List"},
                    Case{Call::kFlushDirectory, "FlushDirectory"}, Case{Call::kClone, "Clone"},
                    Case{Call::kSetMode, "SetMode"}, Case{Call::kLock, "Lock"}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace qbuild::faults
