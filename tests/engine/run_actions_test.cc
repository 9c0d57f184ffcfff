// Which action starts when: resources, priorities, -j, and other engines on the same store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "cache/index.h"
#include "engine/key.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// How many of its actions ran at the same time at most. Each waits until `expected` are inside, or
// until it is clear that they do not come.
class Crowd {
 public:
  explicit Crowd(int expected) : expected_(expected) {}

  Behaviour behaviour() {
    return [this](const ActionRequest& request, ActionContext&) {
      const int inside = ++inside_;
      int most = most_;
      while (inside > most && !most_.compare_exchange_weak(most, inside)) {
      }
      for (int i = 0; i < 200 && most_ < expected_; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      --inside_;
      ActionResult result;
      result.files.push_back(produce(request, "out", request.target));
      return result;
    };
  }
  [[nodiscard]] int most() const { return most_; }

 private:
  int expected_;
  std::atomic<int> inside_{0};
  std::atomic<int> most_{0};
};

int most_at_once(FakeBuild& build, const Resources& each, int expected) {
  Crowd crowd(expected);
  for (const char* target : {"a", "b", "c"}) {
    const NodeId id = build.action(target, target);
    build.node(id).resources = each;
    build.behaviours[target] = crowd.behaviour();
  }
  EXPECT_EQ(build.run().counters.executed, 3u);
  return crowd.most();
}

TEST(RunActions, RunAtOnceWhenTheyFit) {
  FakeBuild build;
  EXPECT_EQ(most_at_once(build, {.threads = 1}, 3), 3);
}

TEST(RunActions, JobsBoundThem) {
  FakeBuild build;
  build.options.jobs = 2;
  EXPECT_EQ(most_at_once(build, {.threads = 1}, 2), 2);
}

TEST(RunActions, ThreadsBoundThem) {
  FakeBuild build;
  build.options.threads = 4;
  EXPECT_EQ(most_at_once(build, {.threads = 2}, 2), 2);
}

TEST(RunActions, MemoryBoundsThem) {
  FakeBuild build;
  build.options.memory_bytes = 100;
  EXPECT_EQ(most_at_once(build, {.memory_bytes = 60}, 1), 1);
}

TEST(RunActions, WholeMachineRunsAlone) {
  FakeBuild build;
  EXPECT_EQ(most_at_once(build, {.whole_machine = true}, 1), 1);
}

TEST(RunActions, WhatFitsNowhereFailsAtOnceWithTheNumbers) {
  FakeBuild build;
  build.options.memory_bytes = 1u << 30;
  const NodeId big = build.action("big", "b");
  build.node(big).resources.memory_bytes = 3u << 30;
  const NodeId many = build.action("many", "m");
  build.node(many).resources.threads = 8;
  const RunReport report = build.run();
  EXPECT_THAT(build.take_ran(), IsEmpty());
  EXPECT_EQ(report.nodes.at(big).failure->message,
            "needs 3.2 GB of memory, and this machine allows 1.1 GB");
  EXPECT_EQ(report.nodes.at(many).failure->message, "needs 8 threads, and --threads allows 4");
}

TEST(RunActions, LongestWayToAGoalGoesFirstAndTheLowestIdOnATie) {
  FakeBuild build;
  build.options.jobs = 1;
  const NodeId early = build.action("early", "1");
  const NodeId tied = build.action("tied", "2");
  const NodeId head = build.action("head", "3");
  const NodeId tail = build.action("tail", "4", {head});
  build.node(early).expected_seconds = 2;
  build.node(tied).expected_seconds = 2;
  build.node(head).expected_seconds = 1;
  build.node(tail).expected_seconds = 5;
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), ElementsAre("head", "tail", "early", "tied"));
}

TEST(RunActions, HistoryBeatsTheGraphsGuess) {
  FakeBuild build;
  build.options.jobs = 1;
  cache::Index index(*build.files, build.folder.path() / "index.db", build.store);
  build.index = &index;
  static_cast<void>(build.action("a", "1"));
  static_cast<void>(build.action("b", "2"));
  index.note_run({.rule = "make",
                  .history_key = "b",
                  .outcome = "ok",
                  .started_unix_ns = 1,
                  .seconds = 100,
                  .peak_memory_bytes = 0});
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), ElementsAre("b", "a"));
  EXPECT_LT(index.expected_seconds("make", "a").value(), 100);
}

TEST(RunActions, TwoEnginesOnOneStoreRunEachActionOnce) {
  FakeBuild one;
  FakeBuild other(one.store.root());
  std::atomic<int> runs{0};
  const auto prepare = [&](FakeBuild& build) {
    const NodeId first = build.action("first", "f");
    static_cast<void>(build.action("second", "s", {first}));
    for (const char* target : {"first", "second"}) {
      build.behaviours[target] = [&](const ActionRequest& request, ActionContext&) {
        ++runs;
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        ActionResult result;
        result.files.push_back(produce(request, "out", request.target));
        return result;
      };
    }
  };
  prepare(one);
  prepare(other);
  std::thread thread([&] { EXPECT_EQ(exit_code(other.run()), 0); });
  EXPECT_EQ(exit_code(one.run()), 0);
  thread.join();
  EXPECT_EQ(runs, 2);
}

TEST(RunActions, HeldUpByAnotherEngineTheRecordIsUsedOnceItIsThere) {
  FakeBuild build;
  const NodeId id = build.action("a", "text");
  const Key key = make_key(build.node(id), "1", {});
  auto lock = build.store.lock_key(key.digest, LockWait::kTry);
  ASSERT_NE(lock, nullptr);
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cache::Record record;
    record.key = key.digest;
    record.key_text = key.text;
    record.rule = "make";
    record.inline_files["out"] = "theirs";
    record.artifact.files = {{.name = "out", .sha256 = sha256("theirs"), .size_bytes = 6}};
    record.machine = Json::object();
    build.store.put_record(record);
    lock.reset();
  });
  const RunReport report = build.run();
  other.join();
  EXPECT_THAT(build.take_ran(), IsEmpty());
  EXPECT_EQ(report.counters.reused, 1u);
  EXPECT_EQ(report.nodes.at(id).inline_files.at("out"), "theirs");
}

}  // namespace
}  // namespace qbuild::engine::testing
