#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace qbuild {
namespace {

using Ranges = std::set<std::pair<std::size_t, std::size_t>>;

Ranges ranges_of(ThreadPool& pool, std::size_t count, std::size_t grain) {
  std::mutex mutex;
  Ranges ranges;
  pool.parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
    const std::lock_guard lock(mutex);
    ranges.emplace(begin, end);
  });
  return ranges;
}

TEST(ThreadPool, SplitsAtMultiplesOfTheGrain) {
  ThreadPool pool(3);
  EXPECT_EQ(ranges_of(pool, 10, 1), (Ranges{{0, 4}, {4, 7}, {7, 10}}));
  EXPECT_EQ(ranges_of(pool, 10, 4), (Ranges{{0, 4}, {4, 8}, {8, 10}}));
  EXPECT_EQ(ranges_of(pool, 10, 8), (Ranges{{0, 8}, {8, 10}}));
}

TEST(ThreadPool, GivesNoEmptyRanges) {
  ThreadPool pool(4);
  EXPECT_EQ(ranges_of(pool, 0, 1), Ranges{});
  EXPECT_EQ(ranges_of(pool, 2, 1), (Ranges{{0, 1}, {1, 2}}));
  EXPECT_EQ(ranges_of(pool, 5, 100), (Ranges{{0, 5}}));
}

TEST(ThreadPool, DoesNotOverflowOnTheLargestCount) {
  ThreadPool pool(2);
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  const std::size_t half = std::size_t{1} << 63U;
  EXPECT_EQ(ranges_of(pool, most, 1), (Ranges{{0, half}, {half, most}}));
}

TEST(ThreadPool, OfOneThreadRunsInTheCaller) {
  ThreadPool pool(1);
  std::thread::id where;
  pool.parallel_for(8, 1, [&](std::size_t, std::size_t) { where = std::this_thread::get_id(); });
  EXPECT_EQ(where, std::this_thread::get_id());
  EXPECT_EQ(pool.threads(), 1U);
}

TEST(ThreadPool, VisitsEveryElementOnceInEachOfManyCalls) {
  ThreadPool pool(4);
  std::vector<int> visits(1003, 0);  // ranges do not overlap, so no atomics
  constexpr int kCalls = 200;
  for (int call = 0; call < kCalls; ++call) {
    pool.parallel_for(visits.size(), 8, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) ++visits[i];
    });
  }
  for (const int count : visits) ASSERT_EQ(count, kCalls);
}

TEST(ThreadPool, RethrowsTheFirstFailureByRangeAndGoesOnWorking) {
  ThreadPool pool(4);
  std::atomic<int> ran = 0;
  const auto fail_late_ranges = [&](std::size_t begin, std::size_t) {
    ++ran;
    if (begin >= 1) throw std::runtime_error(std::to_string(begin));
  };
  std::string message;
  try {
    pool.parallel_for(4, 1, fail_late_ranges);
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  EXPECT_EQ(message, "1");
  EXPECT_EQ(ran, 4);
  EXPECT_EQ(ranges_of(pool, 2, 1).size(), 2U);
}

TEST(ThreadPoolDeathTest, RefusesASecondCallFromInside) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto nest = [] {
    ThreadPool pool(2);
    pool.parallel_for(2, 1, [&](std::size_t, std::size_t) {
      pool.parallel_for(2, 1, [](std::size_t, std::size_t) {});
    });
  };
  EXPECT_DEATH(nest(), "one parallel_for at a time");
}

TEST(ThreadPoolEach, VisitsEveryElementOnceWithAThreadOfItsOwn) {
  ThreadPool pool(4);
  std::vector<int> visits(1003, 0);
  std::vector<std::atomic<int>> inside(4);
  for (int call = 0; call < 50; ++call) {
    pool.parallel_each(visits.size(), [&](std::size_t i, std::size_t thread) {
      ASSERT_LT(thread, inside.size());
      EXPECT_EQ(++inside[thread], 1);
      ++visits[i];
      --inside[thread];
    });
  }
  for (const int count : visits) ASSERT_EQ(count, 50);
}

TEST(ThreadPoolEach, AThreadThatIsHeldUpLeavesTheRestToTheOthers) {
  ThreadPool pool(2);
  std::atomic<int> done = 0;
  pool.parallel_each(100, [&](std::size_t i, std::size_t) {
    if (i == 0)
      while (done < 99) std::this_thread::yield();
    ++done;
  });
  EXPECT_EQ(done, 100);
}

TEST(ThreadPoolEach, RethrowsTheLowestFailureAndGoesOnWorking) {
  ThreadPool pool(4);
  for (int call = 0; call < 100; ++call) {
    std::string message;
    try {
      pool.parallel_each(64, [&](std::size_t i, std::size_t) {
        if (i % 8 == 7) throw std::runtime_error(std::to_string(i));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    ASSERT_EQ(message, "7");
  }
  std::atomic<int> ran = 0;
  pool.parallel_each(3, [&](std::size_t, std::size_t) { ++ran; });
  EXPECT_EQ(ran, 3);
}

TEST(ThreadPoolEach, OfNothingIsNothing) {
  ThreadPool pool(2);
  pool.parallel_each(0, [](std::size_t, std::size_t) { FAIL(); });
}

}  // namespace
}  // namespace qbuild
