// Actions that never end, and logs without end, in real workers.

#include <gmock/gmock.h>

#include "engine/action_log.h"
#include "engine/worker_guard.h"
#include "tests/engine/worker_build.h"

namespace qbuild::engine::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;

constexpr const char* kTooLate = "did not end within 0.2 s (resources.time_limit)";

class TimeLimit : public ::testing::Test {
 protected:
  NodeId does(const std::string& target, const std::string& what, int limit_ms = 0) {
    const NodeId id = build_.does(target, what);
    build_.node(id).resources.time_limit = milliseconds(limit_ms);
    return id;
  }
  // One after another in one worker.
  void batch(const std::vector<NodeId>& ids) {
    for (const NodeId id : ids) {
      build_.node(id).batch = "model";
      build_.node(id).resources.threads = 4;
    }
  }

  WorkerBuild build_;
};

std::string pid_of(const RunReport& report, NodeId id) {
  return report.nodes.at(id).inline_files.at("pid");
}

TEST_F(TimeLimit, AnActionOverItsLimitFailsAndTheOthersGoOn) {
  const NodeId late = does("late", "wait", 200);
  const NodeId good = does("good", "write");
  const RunReport report = build_.run();
  EXPECT_EQ(exit_code(report), 1);
  EXPECT_EQ(report.nodes.at(late).failure->message, kTooLate);
  EXPECT_EQ(report.nodes.at(late).failure->kind, ErrorKind::kExhausted);
  EXPECT_EQ(report.nodes.at(good).status, Status::kReady);
  EXPECT_TRUE(has_gone(build_.wait_for_pid(), 1));
}

TEST_F(TimeLimit, WhatHangsInNativeCodeIsKilledAndTheRestOfItsBatchRunsElsewhere) {
  const NodeId first = does("first", "write", 60'000);
  const NodeId late = does("late", "deaf", 200);
  const NodeId last = does("last", "write", 60'000);
  batch({first, late, last});
  const RunReport report = build_.run();
  EXPECT_EQ(report.nodes.at(late).failure->message, kTooLate);
  ASSERT_EQ(report.nodes.at(first).status, Status::kReady);
  ASSERT_EQ(report.nodes.at(last).status, Status::kReady);
  EXPECT_NE(pid_of(report, first), pid_of(report, last));
}

TEST_F(TimeLimit, EachThatHangsInALongBatchIsBlamedForItselfAlone) {
  std::vector<NodeId> late;
  for (int i = 0; i < 7; ++i) late.push_back(does("late" + std::to_string(i), "wait", 200));
  const NodeId good = does("zgood", "write", 60'000);
  std::vector<NodeId> all = late;
  all.push_back(good);
  batch(all);
  const RunReport report = build_.run();
  for (const NodeId id : late) EXPECT_EQ(report.nodes.at(id).failure->message, kTooLate);
  EXPECT_EQ(report.nodes.at(good).status, Status::kReady);
}

TEST_F(TimeLimit, IsCountedFromTheBeginningOfEachActionOfABatch) {
  std::vector<NodeId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(does("slow" + std::to_string(i), "nap", 1'500));
  batch(ids);
  const RunReport report = build_.run();
  EXPECT_EQ(report.counters.executed, 5u);
  EXPECT_EQ(pid_of(report, ids[0]), pid_of(report, ids[4]));
}

TEST_F(TimeLimit, IsNoPartOfTheKey) {
  static_cast<void>(does("a", "write", 60'000));
  EXPECT_EQ(build_.run().counters.executed, 1u);
  build_.new_graph();
  static_cast<void>(does("a", "write", 90'000));
  EXPECT_EQ(build_.run().counters.reused, 1u);
}

TEST_F(TimeLimit, AFloodOfLogLinesIsCutAndSaid) {
  const NodeId a = does("a", "flood");
  EXPECT_EQ(build_.run().nodes.at(a).status, Status::kReady);
  const std::string text = read_text(build_.project.log("a"));
  EXPECT_LE(text.size(), kMaxLogBytes + 100);
  EXPECT_THAT(text, EndsWith(std::string(kLogIsCut) + "\n"));
}

TEST_F(TimeLimit, AFloodOnAWorkersStderrIsCutAndSaid) {
  const NodeId a = does("a", "flood_stderr");
  EXPECT_EQ(build_.run().nodes.at(a).status, Status::kReady);
  const std::string text = read_text(build_.project.worker_log(1));
  EXPECT_LE(text.size(), kMaxWorkerLogBytes);
  // Between the two the worker may have written.
  EXPECT_NE(text.find("[cut: this log reached its largest size]\n"), std::string::npos);
}

}  // namespace
}  // namespace qbuild::engine::testing
