#include "base/machine.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstddef>
#include <vector>

namespace qbuild {
namespace {

TEST(Machine, KnowsItsProcessorAndMemory) {
  const Machine machine = this_machine();
  EXPECT_FALSE(machine.cpu_model.empty());
  EXPECT_FALSE(machine.vector_units.empty());
  EXPECT_GE(machine.cores, 1U);
  EXPECT_GT(machine.memory_bytes, std::uint64_t{64} << 20U);
  EXPECT_LT(machine.memory_bytes, std::uint64_t{1} << 50U);
}

TEST(Machine, CountsOnlyCoresThatThisProcessMayUse) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  const unsigned cores = this_machine().cores;
  sched_setaffinity(0, sizeof before, &before);
  EXPECT_EQ(cores, 1U);
}

TEST(Machine, SeesMemoryThatIsTouchedAndRemembersThePeak) {
  constexpr std::size_t kBytes = std::size_t{64} << 20U;
  constexpr std::size_t kSlack = std::size_t{8} << 20U;  // what the allocator gave back meanwhile
  const std::uint64_t before = resident_bytes();
  ASSERT_GT(before, 0U);
  {
    const std::vector<char> block(kBytes, 'x');
    EXPECT_GE(resident_bytes() + kSlack, before + kBytes);
  }
  EXPECT_GE(peak_resident_bytes() + kSlack, before + kBytes);
}

}  // namespace
}  // namespace qbuild
