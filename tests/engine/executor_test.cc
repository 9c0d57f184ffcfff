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

TEST(EventQueue, WhoeverLogsTooMuchWaitsAndNothingIsLost) {
  EventQueue queue;
  const std::string line(EventQueue::kMaxWaitingBytes / 4, 'x');
  std::jthread pusher([&] {
    for (int i = 0; i < 100; ++i) queue.push({"x", ExecutorEvent::Log{line}});
    queue.push({"x", ExecutorEvent::NotRun{}});
  });
  std::size_t taken = 0;
  for (bool is_over = false; !is_over;) {
    const auto events = queue.take(std::chrono::minutes(1));
    EXPECT_LE(events.size(), 5u);
    taken += events.size();
    is_over = std::holds_alternative<ExecutorEvent::NotRun>(events.back().what);
  }
  EXPECT_EQ(taken, 101u);
}

TEST(EventQueue, BeginningsAndEndsNeverWait) {
  EventQueue queue;
  queue.push({"x", ExecutorEvent::Log{std::string(EventQueue::kMaxWaitingBytes, 'x')}});
  queue.push({"x", ExecutorEvent::Started{}});
  queue.push({"x", ExecutorEvent::Failed{}});
  EXPECT_EQ(queue.take(std::chrono::seconds(0)).size(), 3u);
}

TEST(EventQueue, KeepsNobodyWaitingWhenItIsClosed) {
  EventQueue queue;
  queue.push({"x", ExecutorEvent::Log{std::string(EventQueue::kMaxWaitingBytes, 'x')}});
  std::jthread pusher([&] { queue.push({"x", ExecutorEvent::Progress{}}); });
  queue.close();
  pusher.join();
  EXPECT_EQ(queue.take(std::chrono::seconds(0)).size(), 1u);
}

}  // namespace
}  // namespace qbuild::engine
