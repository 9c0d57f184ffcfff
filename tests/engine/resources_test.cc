#include "engine/resources.h"

#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

TEST(Resources, AdmitsWhatFitsAndGivesItBack) {
  ResourcePools pools({.jobs = 3, .threads = 4, .memory_bytes = 100});
  const Resources half{.threads = 2, .memory_bytes = 50};
  EXPECT_TRUE(pools.take(half, 0));
  EXPECT_TRUE(pools.take(half, 0));
  EXPECT_FALSE(pools.take({.threads = 1, .memory_bytes = 0}, 0));
  pools.give_back(half);
  EXPECT_FALSE(pools.take({.threads = 1, .memory_bytes = 51}, 0));
  EXPECT_TRUE(pools.take({.threads = 1, .memory_bytes = 50}, 0));
  EXPECT_EQ(pools.running(), 2u);
}

TEST(Resources, JobsBoundWhatOtherwiseFits) {
  ResourcePools pools({.jobs = 1, .threads = 4});
  EXPECT_TRUE(pools.take({.threads = 1}, 0));
  EXPECT_FALSE(pools.take({.threads = 1}, 0));
}

TEST(Resources, WholeMachineWaitsForAllAndKeepsAllOut) {
  ResourcePools pools({.jobs = 0, .threads = 4});
  const Resources small{.threads = 1};
  const Resources alone{.threads = 1, .whole_machine = true};
  EXPECT_TRUE(pools.take(small, 0));
  EXPECT_FALSE(pools.take(alone, 0));
  pools.give_back(small);
  EXPECT_TRUE(pools.take(alone, 0));
  EXPECT_FALSE(pools.take(small, 0));
  pools.give_back(alone);
  EXPECT_TRUE(pools.take(small, 0));
}

TEST(Resources, ScratchOfAllStaysWithinWhatIsFree) {
  ResourcePools pools({.jobs = 0, .threads = 4});
  EXPECT_TRUE(pools.take({.scratch_bytes = 60}, 100));
  EXPECT_FALSE(pools.take({.scratch_bytes = 60}, 100));
  EXPECT_FALSE(pools.take({.scratch_bytes = UINT64_MAX}, 100)) << "and sums do not wrap around";
}

TEST(Resources, SaysWithNumbersWhatFitsNowhere) {
  ResourcePools pools({.jobs = 0, .threads = 2, .memory_bytes = 1u << 30});
  EXPECT_EQ(
      pools.why_never({.threads = 2, .memory_bytes = 1u << 30, .scratch_bytes = 5}, {"/s", 5}),
      std::nullopt);
  EXPECT_EQ(pools.why_never({.threads = 3}, {"/s", 0}), "needs 3 threads, and --threads allows 2");
  EXPECT_EQ(pools.why_never({.threads = 1, .memory_bytes = 3u << 29}, {"/s", 0}),
            "needs 1.6 GB of memory, and this machine allows 1.1 GB");
  EXPECT_EQ(pools.why_never({.scratch_bytes = 3u << 30}, {"/s", 1u << 29}),
            "needs 3.2 GB on the disk of the store /s, and 536.9 MB are free; free some, or point "
            "--store "
            "elsewhere");
}

TEST(Resources, InTurnTheLargestCountsAndAllOfTheScratch) {
  const std::vector<Resources> batch{{.threads = 2, .memory_bytes = 50, .scratch_bytes = 5},
                                     {.threads = 3, .memory_bytes = 40, .scratch_bytes = 6}};
  const Resources all = needs_in_turn(batch);
  EXPECT_EQ(all.threads, 3u);
  EXPECT_EQ(all.memory_bytes, 50u);
  EXPECT_EQ(all.scratch_bytes, 11u);
}

TEST(Resources, TogetherEachFurtherOneAddsWhatItSaysOrAllOfItsMemory) {
  const Resources small{
      .threads = 2, .memory_bytes = 50, .memory_together_bytes = 7, .scratch_bytes = UINT64_MAX};
  const Resources large{
      .threads = 1, .memory_bytes = 100, .memory_together_bytes = 10, .scratch_bytes = 1};
  const Resources silent{.memory_bytes = 30};
  const auto memory = [](const std::vector<Resources>& group) {
    return needs_together(group).memory_bytes;
  };
  EXPECT_EQ(memory({large}), 100u);
  EXPECT_EQ(memory({small, large}), 107u);
  EXPECT_EQ(memory({large, small}), 107u) << "whatever the order";
  EXPECT_EQ(memory({large, small, small}), 114u);
  EXPECT_EQ(memory({large, silent}), 130u);
  EXPECT_EQ(needs_together(std::vector{small, large}).threads, 2u);
  EXPECT_EQ(needs_together(std::vector{small, large}).scratch_bytes, UINT64_MAX);
  EXPECT_EQ(memory({{.memory_bytes = UINT64_MAX}, silent}), UINT64_MAX) << "no sum wraps around";
  EXPECT_EQ(memory({}), 0u);
  EXPECT_EQ(memory({{.memory_bytes = 5, .memory_together_bytes = 9}}), 5u);
}

TEST(Resources, SaysSmallAmountsSoThatTheyDiffer) {
  const ResourcePools pools({.jobs = 0, .threads = 1, .memory_bytes = 2'000'000});
  EXPECT_EQ(
      pools.why_never({.scratch_bytes = 20'000}, {"/s", 512}),
      "needs 20.0 kB on the disk of the store /s, and 512 B are free; free some, or point --store "
      "elsewhere");
  EXPECT_EQ(pools.why_never({.threads = 1, .memory_bytes = 2'000'001}, {"/s", 0}),
            "needs 2000001 B of memory, and this machine allows 2000000 B");
}

}  // namespace
}  // namespace qbuild::engine
