#include "engine/executor.h"

#include <gtest/gtest.h>

#include <thread>

namespace qbuild::engine {
namespace {

TEST(EventQueue, KeepsTheOrder) {
  EventQueue queue;
  for (const char* id : {"1", "2", "3"}) queue.push({id, ExecutorEvent::Started{}});
  const auto events = queue.take(std::chrono::seconds(0));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].id, "1");
  EXPECT_EQ(events[2].id, "3");
  EXPECT_TRUE(queue.take(std::chrono::seconds(0)).empty());
}

TEST(EventQueue, WakesAWaiterWithAndWithoutAnEvent) {
  EventQueue queue;
  std::jthread pusher([&] { queue.push({"x", ExecutorEvent::NotRun{}}); });
  EXPECT_EQ(queue.take(std::chrono::minutes(1)).size(), 1u);
  std::jthread waker([&] { queue.wake(); });
  EXPECT_TRUE(queue.take(std::chrono::minutes(1)).empty());
}

TEST(EventQueue, WakeBeforeTheWaitCounts) {
  EventQueue queue;
  queue.wake();
  EXPECT_TRUE(queue.take(std::chrono::minutes(1)).empty());
}

}  // namespace
}  // namespace qbuild::engine
