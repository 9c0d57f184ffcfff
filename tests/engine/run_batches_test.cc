// Which actions run together, in this process: what they have in common is done once, and each
// keeps its own record, log and outcome.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "base/error.h"
#include "cache/index.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Groups = std::vector<std::vector<std::string>>;

std::vector<NodeId> five(FakeBuild& build) {
  std::vector<NodeId> ids;
  for (const char* target : {"a", "b", "c", "d", "e"}) ids.push_back(build.fused(target));
  return ids;
}

ActionResult result_of(const ActionRequest& request) {
  ActionResult result;
  result.files.push_back(produce(request, "out", request.target));
  return result;
}

TEST(RunBatches, AGroupDoesItsCommonPartOnceAndEachKeepsItsRecordAndLog) {
  FakeBuild build;
  const std::vector<NodeId> ids = five(build);
  for (const NodeId id : ids) {
    build.behaviours[build.node(id).target] = [](const ActionRequest& request,
                                                 ActionContext& context) {
      context.log("log of " + request.target);
      return result_of(request);
    };
  }
  const RunReport report = build.run();
  EXPECT_EQ(report.counters.executed, 5u);
  EXPECT_EQ(build.take_groups(), (Groups{{"a", "b", "c", "d", "e"}}));
  std::set<std::string> keys;
  for (const NodeId id : ids) {
    const std::string target = build.node(id).target;
    keys.insert(report.nodes.at(id).key_hex);
    EXPECT_EQ(read_text(report.nodes.at(id).paths.at(0)), target);
    EXPECT_EQ(read_text(build.project.log(target)), "log of " + target + "\n");
  }
  EXPECT_EQ(keys.size(), 5u);
  EXPECT_EQ(build.run().counters.reused, 5u);
  EXPECT_THAT(build.take_groups(), IsEmpty());
}

TEST(RunBatches, OneThatFailsHindersNoOtherAndRunsAgainByItself) {
  FakeBuild build;
  const std::vector<NodeId> ids = five(build);
  build.behaviours["b"] = [](const ActionRequest&, ActionContext& context) -> ActionResult {
    context.log("a cause");
    throw Error(ErrorKind::kInvalidInput, "tensor a.b has a NaN at 7");
  };
  const RunReport report = build.run();
  EXPECT_EQ(report.counters.executed, 4u);
  EXPECT_EQ(report.counters.failed, 1u);
  EXPECT_EQ(report.nodes.at(ids[1]).failure->message, "tensor a.b has a NaN at 7");
  EXPECT_THAT(report.nodes.at(ids[1]).failure->log_tail, ElementsAre("a cause"));
  build.behaviours.clear();
  static_cast<void>(build.take_ran());
  static_cast<void>(build.take_groups());
  EXPECT_EQ(build.run().counters.reused, 4u);
  EXPECT_THAT(build.take_ran(), ElementsAre("b"));
  EXPECT_THAT(build.take_groups(), IsEmpty());
}

TEST(RunBatches, OthersGoOnBelowOneThatHasEnded) {
  FakeBuild build;
  const NodeId early = build.fused("early");
  static_cast<void>(build.fused("late"));
  static_cast<void>(build.action("below", "b", {early}));
  std::atomic<bool> below_ran{false};
  build.behaviours["below"] = [&](const ActionRequest& request, ActionContext&) {
    below_ran = true;
    return result_of(request);
  };
  build.group_behaviour = [&](std::span<const TogetherAction> actions, const ActionEnded& ended) {
    ended(0, {.result = result_of(actions[0].request), .error = {}});
    for (int i = 0; i < 2000 && !below_ran; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ended(1, {.result = result_of(actions[1].request), .error = {}});
  };
  EXPECT_EQ(exit_code(build.run()), 0);
  EXPECT_TRUE(below_ran);
}

TEST(RunBatches, WhatAGroupDoesNotEndFails) {
  FakeBuild build;
  const std::vector<NodeId> ids = five(build);
  build.group_behaviour = [&](std::span<const TogetherAction> actions, const ActionEnded& ended) {
    ended(4, {.result = result_of(actions[4].request), .error = {}});
    ended(2, {});
    throw Error(ErrorKind::kCorrupt, "the source ends early");
  };
  const RunReport report = build.run();
  EXPECT_EQ(report.nodes.at(ids[4]).status, Status::kReady);
  EXPECT_EQ(report.nodes.at(ids[2]).failure->message, "the rule did not say how it ended");
  for (const std::size_t i : {0u, 1u, 3u})
    EXPECT_EQ(report.nodes.at(ids[i]).failure->message, "the source ends early");
}

TEST(RunBatches, OnlyThoseOfOneBatchAndOneRuleRunTogether) {
  FakeBuild build;
  build.options.jobs = 1;
  static_cast<void>(build.fused("a", "one"));
  static_cast<void>(build.fused("b", "two"));
  static_cast<void>(build.fused("c", "one"));
  build.node(build.action("d", "d")).batch = "one";
  static_cast<void>(build.fused("e", "two"));
  static_cast<void>(build.fused("f", ""));
  const NodeId alone = build.fused("g", "one");
  build.node(alone).resources.whole_machine = true;
  EXPECT_EQ(build.run().counters.executed, 7u);
  EXPECT_EQ(build.take_groups(), (Groups{{"a", "c"}, {"b", "e"}}));
}

TEST(RunBatches, ThoseThatBecomeReadyTogetherAreTakenTogetherWhateverStandsBetween) {
  for (const unsigned jobs : {1u, 4u}) {
    FakeBuild build;
    build.options.jobs = jobs;
    const NodeId source = build.action("source", "s");
    for (const char* target : {"c", "a", "b"}) {
      const NodeId id = build.fused(target);
      build.node(id).inputs.push_back({.label = "source", .from = source});
      const NodeId between =
          build.action(std::string("between ") + target, target, {source}, "light");
      build.node(between).expected_seconds = 1;
    }
    static_cast<void>(build.run());
    EXPECT_EQ(build.take_groups(), (Groups{{"c", "a", "b"}})) << jobs;
  }
}

TEST(RunBatches, TheLongestWayGoesFirstInAGroupAndTheLowestIdOnATie) {
  for (const unsigned jobs : {1u, 4u}) {
    FakeBuild build;
    build.options.jobs = jobs;
    const std::vector<NodeId> ids = five(build);
    build.node(ids[3]).expected_seconds = 5;
    build.node(build.action("below", "b", {ids[1]})).expected_seconds = 2;
    static_cast<void>(build.run());
    EXPECT_EQ(build.take_groups(), (Groups{{"d", "b", "a", "c", "e"}})) << jobs;
  }
}

TEST(RunBatches, AGroupIsOneJobAndTakesTheThreadsOfOne) {
  FakeBuild build;
  build.options.jobs = 2;
  build.options.threads = 4;
  for (const NodeId id : five(build)) build.node(id).resources.threads = 3;
  std::atomic<bool> other_ran{false};
  static_cast<void>(build.action("other", "o"));
  build.behaviours["other"] = [&](const ActionRequest& request, ActionContext&) {
    other_ran = true;
    return result_of(request);
  };
  build.group_behaviour = [&](std::span<const TogetherAction> actions, const ActionEnded& ended) {
    for (int i = 0; i < 2000 && !other_ran; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    for (std::size_t i = 0; i < actions.size(); ++i)
      ended(i, {.result = result_of(actions[i].request), .error = {}});
  };
  EXPECT_EQ(build.run().counters.executed, 6u);
  EXPECT_TRUE(other_ran);
  EXPECT_EQ(build.take_groups(), (Groups{{"a", "b", "c", "d", "e"}}));
}

TEST(RunBatches, MemoryThatAllWouldTakeSplitsAGroup) {
  FakeBuild build;
  build.options.memory_bytes = 125;
  for (const NodeId id : five(build))
    build.node(id).resources = {.memory_bytes = 100, .memory_together_bytes = 10};
  EXPECT_EQ(build.run().counters.executed, 5u);
  EXPECT_EQ(build.take_groups(), (Groups{{"a", "b", "c"}, {"d", "e"}}));
}

TEST(RunBatches, WithoutAWordAboutItAnotherAddsAllOfItsMemory) {
  FakeBuild build;
  build.options.memory_bytes = 250;
  for (const NodeId id : five(build)) build.node(id).resources.memory_bytes = 100;
  EXPECT_EQ(build.run().counters.executed, 5u);
  EXPECT_EQ(build.take_groups(), (Groups{{"a", "b"}, {"c", "d"}}));
}

TEST(RunBatches, AGroupHasItsLargestSize) {
  FakeBuild build;
  for (unsigned i = 0; i < kMaxTogether + 3; ++i)
    static_cast<void>(build.fused("t" + std::to_string(100 + i)));
  build.options.jobs = 1;
  EXPECT_EQ(build.run().counters.executed, kMaxTogether + 3);
  const Groups groups = build.take_groups();
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].size(), kMaxTogether);
  EXPECT_EQ(groups[1].size(), 3u);

  FakeBuild fewer;
  fewer.options.jobs = 1;
  fewer.options.together = 2;
  static_cast<void>(five(fewer));
  EXPECT_EQ(fewer.run().counters.executed, 5u);
  EXPECT_EQ(fewer.take_groups(), (Groups{{"a", "b"}, {"c", "d"}}));
}

TEST(RunBatches, AnInterruptLeavesWhatHasEndedAndNothingHalfDone) {
  FakeBuild build;
  const std::vector<NodeId> ids = five(build);
  build.group_behaviour = [&](std::span<const TogetherAction> actions, const ActionEnded& ended) {
    ended(1, {.result = result_of(actions[1].request), .error = {}});
    static_cast<void>(produce(actions[2].request, "half", "half of it"));
    build.stop.request_stop();
    while (!actions[0].context.stop().stop_requested()) {
    }
    throw Error(ErrorKind::kInternal, "in the middle");
  };
  const RunReport report = build.run();
  EXPECT_EQ(exit_code(report), 130);
  EXPECT_EQ(report.nodes.at(ids[1]).status, Status::kReady);
  for (const std::size_t i : {0u, 2u, 3u, 4u}) {
    EXPECT_EQ(report.nodes.at(ids[i]).status, Status::kSkipped);
    EXPECT_EQ(report.nodes.at(ids[i]).reason, "interrupted");
  }
  EXPECT_EQ(report.counters.failed, 0u);
  EXPECT_THAT(scratch_in(build.store.root()), IsEmpty());
}

TEST(RunBatches, FailFastLetsAGroupEndAndStartsNothingNew) {
  FakeBuild build;
  build.options.jobs = 1;
  build.options.fail_fast = true;
  const std::vector<NodeId> ids = five(build);
  const NodeId later = build.action("later", "l");
  build.node(later).expected_seconds = 0.1;
  build.behaviours["a"] = [](const ActionRequest&, ActionContext&) -> ActionResult {
    throw Error(ErrorKind::kInvalidInput, "no");
  };
  const RunReport report = build.run();
  EXPECT_EQ(report.counters.executed, 4u);
  EXPECT_EQ(report.nodes.at(later).reason, "stopped after a failed (--fail-fast)");
}

TEST(RunBatches, WhatAnotherEngineIsAtIsLeftOutOfAGroup) {
  FakeBuild one;
  FakeBuild other(one.store.root());
  std::map<std::string, std::atomic<int>> runs;
  for (const char* target : {"a", "b", "c", "d", "e"}) runs[target] = 0;
  std::barrier both(2);
  const auto prepare = [&](FakeBuild& build) {
    static_cast<void>(five(build));
    for (auto& [target, count] : runs) {
      build.behaviours[target] = [&count = count](const ActionRequest& request, ActionContext&) {
        ++count;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return result_of(request);
      };
    }
  };
  prepare(one);
  prepare(other);
  std::thread thread([&] {
    both.arrive_and_wait();
    EXPECT_EQ(exit_code(other.run()), 0);
  });
  both.arrive_and_wait();
  EXPECT_EQ(exit_code(one.run()), 0);
  thread.join();
  for (const auto& [target, count] : runs) EXPECT_EQ(count, 1) << target;
}

TEST(RunBatches, TwoOfOneKeyAreMadeOneAfterTheOther) {
  FakeBuild build;
  for (const char* target : {"a", "b"}) {
    const NodeId id = build.action(target, "same", {}, "fused");
    build.node(id).batch = "model";
  }
  const RunReport report = build.run();
  EXPECT_EQ(report.counters.executed, 1u);
  EXPECT_EQ(report.counters.reused, 1u);
}

TEST(RunBatches, HistoryKeepsTheShareOfEachAndItsRecordAllOfItsTime) {
  FakeBuild build;
  cache::Index index(*build.files, build.folder.path() / "index.db", build.store);
  build.index = &index;
  const std::vector<NodeId> ids = five(build);
  const RunReport report = build.run();
  for (const NodeId id : ids) {
    const double whole = report.nodes.at(id).seconds;
    EXPECT_GT(whole, 0);
    EXPECT_DOUBLE_EQ(index.expected_seconds("fused", build.node(id).target).value(), whole / 5);
  }
}

}  // namespace
}  // namespace qbuild::engine::testing
