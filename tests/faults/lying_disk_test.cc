// The power fails at every change that a whole small run makes to the disk. Whatever the disk had
// not been told to flush may be lost, or there in part: the store is sound afterwards, and the next
// run leaves what an undisturbed one leaves.

#include <gmock/gmock.h>

#include "base/error.h"
#include "tests/base/power_cut.h"
#include "tests/faults/small_project.h"

namespace qbuild::faults {
namespace {

// More changes than the run makes; reaching it means that a loop did not end.
constexpr std::uint64_t kMaxChanges = 5000;

enum class Disk {
  kKeepsAll,  // the process was killed, the machine lives on
  kLosesAll,  // of what was not flushed
  kAnyOrder,  // parts of what was not flushed
};

class PowerFails : public testing::TestWithParam<Disk> {
 protected:
  static void crash(FakeFileSystem& disk, std::uint64_t seed) {
    if (GetParam() == Disk::kLosesAll) disk.crash();
    if (GetParam() == Disk::kAnyOrder) disk.crash(seed);
  }
  static std::map<std::string, std::string> undisturbed() {
    FakeFileSystem disk;
    put_small_project(disk);
    const engine::RunReport report = publish_small_project(disk);
    EXPECT_EQ(failures(report), "");
    return results(disk);
  }
};

TEST_P(PowerFails, AtEveryChangeTheStoreIsSoundAndTheNextRunLeavesTheSameBytes) {
  const std::map<std::string, std::string> calm = undisturbed();
  ASSERT_GE(calm.size(), 6u);
  std::uint64_t changes = 0;
  for (bool cut = true; cut && !HasFailure(); ++changes) {
    SCOPED_TRACE(changes);
    ASSERT_LT(changes, kMaxChanges);
    FakeFileSystem disk;
    put_small_project(disk);
    PowerCut files(disk, changes, PowerCut::Counted::kChanges);
    try {
      (void)publish_small_project(files);
    } catch (const Error& error) {
      EXPECT_TRUE(files.happened()) << error.message();
    }
    cut = files.happened();
    crash(disk, changes);
    EXPECT_EQ(damages(disk), "");
    const engine::RunReport again = publish_small_project(disk);
    EXPECT_EQ(failures(again), "");
    EXPECT_EQ(difference(calm, results(disk)), "");
    EXPECT_EQ(damages(disk), "");
    EXPECT_EQ(publish_small_project(disk).counters.executed, 0u);
  }
  EXPECT_GT(changes, 200u);
}

INSTANTIATE_TEST_SUITE_P(Disks, PowerFails,
                         testing::Values(Disk::kKeepsAll, Disk::kLosesAll, Disk::kAnyOrder),
                         [](const auto& one) {
                           switch (one.param) {
                             case Disk::kKeepsAll:
                               return "ProcessKilled";
                             case Disk::kLosesAll:
                               return "UnflushedLost";
                             default:
                               return "UnflushedInAnyOrder";
                           }
                         });

}  // namespace
}  // namespace qbuild::faults
