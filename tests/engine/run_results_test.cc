// What becomes of actions whose work has ended: their places, their results, their folders.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::IsEmpty;

// Waits for it, and no longer than a hung test may.
void await(const std::atomic<bool>& what) {
  for (int i = 0; i < 10'000 && !what; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(RunResults, TheNextOneRunsWhileTheResultOfTheLastOneIsFlushed) {
  FakeBuild build;
  build.options.jobs = 1;
  static_cast<void>(build.action("a", "a"));
  static_cast<void>(build.action("b", "b"));
  std::atomic<bool> has_begun = false;
  std::atomic<bool> began_meanwhile = false;
  build.behaviours["b"] = [&](const ActionRequest& request, ActionContext&) {
    has_begun = true;
    ActionResult result;
    result.files.push_back(produce(request, "out", "b"));
    return result;
  };
  build.files->before_flush = [&, first = true]() mutable {
    if (!std::exchange(first, false)) return;
    await(has_begun);
    began_meanwhile = has_begun.load();
  };
  EXPECT_EQ(build.run().counters.executed, 2u);
  EXPECT_TRUE(began_meanwhile);
}

TEST(RunResults, WhoHasTheMachineAloneHasItsDiskAloneToo) {
  FakeBuild build;
  static_cast<void>(build.action("a", "a"));
  const NodeId measured = build.action("measured", "m");
  build.node(measured).resources.whole_machine = true;
  build.node(NodeId{0}).expected_seconds = 10;  // goes first
  std::atomic<int> flushing = 0;
  std::atomic<int> seen = -1;
  build.files->before_flush = [&] {
    ++flushing;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    --flushing;
  };
  build.behaviours["measured"] = [&](const ActionRequest& request, ActionContext&) {
    seen = flushing.load();
    ActionResult result;
    result.files.push_back(produce(request, "out", "m"));
    return result;
  };
  EXPECT_EQ(build.run().counters.executed, 2u);
  EXPECT_EQ(build.take_ran(), (std::vector<std::string>{"a", "measured"}));
  EXPECT_EQ(seen, 0);
}

TEST(RunResults, OneBadResultFailsAloneAmongThoseFinishedWithIt) {
  FakeBuild build;
  std::vector<NodeId> ids;
  for (const char* target : {"a", "b", "c"}) ids.push_back(build.action(target, target));
  build.behaviours["b"] = [](const ActionRequest& request, ActionContext&) {
    ActionResult result;
    result.files.push_back(produce(request, "out", "b"));
    fs::remove(result.files[0].path);
    return result;
  };
  const RunReport report = build.run();
  EXPECT_EQ(report.counters.executed, 2u);
  EXPECT_EQ(report.counters.failed, 1u);
  EXPECT_TRUE(report.nodes.at(ids[1]).failure);
}

// The scratch folders that these actions of that rule ran in, one after another.
std::vector<fs::path> scratch_of(FakeBuild& build, const std::string& rule,
                                 const std::vector<std::string>& targets) {
  build.options.jobs = 1;
  std::vector<fs::path> folders;
  NodeId before;
  for (const std::string& target : targets) {
    const NodeId id = folders.empty() && target == targets.front()
                          ? build.action(target, target, {}, rule)
                          : build.action(target, target, {before}, rule);
    before = id;
    build.behaviours[target] = [&folders, target](const ActionRequest& request, ActionContext&) {
      folders.push_back(request.scratch);
      EXPECT_TRUE(fs::is_empty(request.scratch));
      ActionResult result;
      result.files.push_back(produce(request, "out", target));
      if (target == "messy") write_text(request.scratch / "left/behind", "x");
      return result;
    };
  }
  EXPECT_EQ(build.run().counters.executed, targets.size());
  EXPECT_THAT(scratch_in(build.store.root()), IsEmpty());
  return folders;
}

TEST(RunResults, AFolderLeftEmptyServesTheNextAction) {
  FakeBuild build;
  const auto folders = scratch_of(build, "make", {"a", "b", "c"});
  EXPECT_EQ(folders[0], folders[1]);
  EXPECT_EQ(folders[1], folders[2]);
}

TEST(RunResults, AFolderInWhichSomethingStayedServesNobodyElse) {
  FakeBuild build;
  const auto folders = scratch_of(build, "make", {"messy", "b"});
  EXPECT_NE(folders[0], folders[1]);
}

}  // namespace
}  // namespace qbuild::engine::testing
