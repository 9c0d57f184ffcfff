#include "engine/worker_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/engine/worker_build.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string pid_of(const RunReport& report, NodeId id) {
  return report.nodes.at(id).inline_files.at("pid");
}

TEST(WorkerExecutor, ReusesItsWorker) {
  WorkerBuild build;
  build.options.jobs = 1;
  const NodeId a = build.does("a", "write");
  const NodeId b = build.does("b", "write");
  const RunReport report = build.run();
  EXPECT_EQ(report.counters.executed, 2u);
  EXPECT_EQ(pid_of(report, a), pid_of(report, b));
  EXPECT_EQ(read_text(report.nodes.at(a).paths[0]), "a by " + pid_of(report, a));
  EXPECT_EQ(read_text(build.project.log("a")), "working\n");
  EXPECT_GT(report.nodes.at(a).origin.at("peak_memory_bytes").as_uint(), 0u);
}

TEST(WorkerExecutor, GivesAFreshOneToRulesThatWantIt) {
  WorkerBuild build;
  build.options.jobs = 1;
  const NodeId a = build.does("a", "write", "fresh");
  const NodeId b = build.does("b", "write", "fresh");
  const NodeId c = build.does("c", "write");
  const RunReport report = build.run();
  EXPECT_EQ((std::set{pid_of(report, a), pid_of(report, b), pid_of(report, c)}).size(), 3u);
}

TEST(WorkerExecutor, BatchSharesOneWorkerAndEachActionKeepsItsRecord) {
  WorkerBuild build;
  const NodeId ids[] = {build.does("a", "write"), build.does("b", "throw"),
                        build.does("c", "write")};
  for (const NodeId id : ids) {
    build.node(id).batch = "model";
    build.node(id).resources.threads = 4;
  }
  const RunReport report = build.run();
  EXPECT_EQ(report.counters.executed, 2u);
  EXPECT_EQ(report.nodes.at(ids[1]).failure->message, "bad tensor");
  EXPECT_EQ(report.nodes.at(ids[1]).failure->kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(pid_of(report, ids[0]), pid_of(report, ids[2]));
  EXPECT_NE(report.nodes.at(ids[0]).key_hex, report.nodes.at(ids[2]).key_hex);
}

TEST(WorkerExecutor, CrashFailsWhatRanAndTheRestOfItsBatchRunsElsewhere) {
  WorkerBuild build;
  const NodeId first = build.does("first", "write");
  const NodeId bad = build.does("bad", "abort");
  const NodeId last = build.does("last", "write");
  for (const NodeId id : {first, bad, last}) {
    build.node(id).batch = "model";
    build.node(id).resources.threads = 4;
  }
  const RunReport report = build.run();
  EXPECT_EQ(report.nodes.at(bad).failure->message,
            "the worker crashed (SIGABRT); it said: something broke in matmul.cc:17");
  EXPECT_EQ(report.nodes.at(first).status, Status::kReady);
  EXPECT_EQ(report.nodes.at(last).status, Status::kReady);
  EXPECT_NE(pid_of(report, first), pid_of(report, last));
}

TEST(WorkerExecutor, KilledWorkerIsBlamedOnMemory) {
  WorkerBuild build;
  const NodeId bad = build.does("bad", "kill");
  const RunReport report = build.run();
  EXPECT_EQ(report.nodes.at(bad).failure->kind, ErrorKind::kExhausted);
  EXPECT_THAT(report.nodes.at(bad).failure->message,
              StartsWith("the worker was killed (SIGKILL) at a peak of "));
  EXPECT_THAT(report.nodes.at(bad).failure->message, HasSubstr("ran out of memory"));
}

TEST(WorkerExecutor, ExitInTheMiddleIsAFailure) {
  WorkerBuild build;
  const NodeId bad = build.does("bad", "exit");
  EXPECT_EQ(build.run().nodes.at(bad).failure->message,
            "the worker ended with exit code 7 in the middle of its work");
}

TEST(WorkerExecutor, ForeignExceptionFailsItsActionOnly) {
  WorkerBuild build;
  build.options.jobs = 1;
  const NodeId bad = build.does("bad", "throw_foreign");
  const NodeId good = build.does("good", "write");
  const RunReport report = build.run();
  EXPECT_EQ(report.nodes.at(bad).failure->message, "unexpected: index 9");
  EXPECT_EQ(report.nodes.at(good).status, Status::kReady);
}

TEST(WorkerExecutor, WhatARulePrintsIsNoEvent) {
  WorkerBuild build;
  static_cast<void>(build.does("a", "print"));
  EXPECT_EQ(exit_code(build.run()), 0);
}

TEST(WorkerExecutor, GarbageOnTheStreamFailsTheBatch) {
  WorkerBuild build(
      "echo '{\"event\":\"hello\",\"protocol\":1}'; read line; echo 'oops {'; sleep 60");
  const NodeId a = build.does("a", "write");
  const RunReport report = build.run();
  EXPECT_EQ(report.nodes.at(a).failure->kind, ErrorKind::kCorrupt);
  EXPECT_THAT(report.nodes.at(a).failure->message,
              StartsWith("the worker was stopped: a line that is no event: \"oops {\" ("));
}

TEST(WorkerExecutor, EventOfAStrangersActionFailsTheBatch) {
  WorkerBuild build(
      "echo '{\"event\":\"hello\",\"protocol\":1}'; read line;"
      "echo '{\"event\":\"started\",\"id\":\"x\"}'; sleep 60");
  const NodeId a = build.does("a", "write");
  EXPECT_EQ(build.run().nodes.at(a).failure->message,
            "the worker was stopped: it reported on an action that it was not given: \"x\"");
}

TEST(WorkerExecutor, AnotherProtocolSaysToInstallOneVersion) {
  WorkerBuild build("echo '{\"event\":\"hello\",\"protocol\":9}'; read line");
  const NodeId a = build.does("a", "write");
  EXPECT_EQ(build.run().nodes.at(a).failure->message,
            "the worker was stopped: the worker speaks protocol 9, this program 1; install both "
            "from one version");
}

TEST(WorkerExecutor, ProgramThatIsNoWorkerIsAFailure) {
  WorkerBuild build("echo cannot find libfoo >&2; exit 127");
  const NodeId a = build.does("a", "write");
  EXPECT_EQ(build.run().nodes.at(a).failure->message,
            "the worker ended with exit code 127 in the middle of its work; it said: cannot find "
            "libfoo");
}

TEST(WorkerExecutor, MissingProgramFailsEachActionWithItsName) {
  WorkerBuild build;
  build.options.heavy = make_worker_executors(
      *build.files, *build.processes, build.rules, build.project,
      {.argv = {"/nonexistent/qbuild-worker"}, .environment = current_environment()});
  const NodeId a = build.does("a", "write");
  const NodeId b = build.does("b", "write");
  const RunReport report = build.run();
  EXPECT_THAT(report.nodes.at(a).failure->message,
              StartsWith("worker: cannot start /nonexistent/qbuild-worker"));
  EXPECT_EQ(report.nodes.at(b).status, Status::kFailed);
}

TEST(WorkerExecutor, InterruptEndsWorkersAndLeavesNoScratch) {
  WorkerBuild build;
  const NodeId a = build.does("a", "wait");
  std::jthread stopper([&] {
    static_cast<void>(build.wait_for_pid());
    build.stop.request_stop();
  });
  const RunReport report = build.run();
  EXPECT_EQ(exit_code(report), 130);
  EXPECT_EQ(report.nodes.at(a).reason, "interrupted");
  EXPECT_TRUE(has_gone(build.wait_for_pid(), 5));
  EXPECT_THAT(scratch_in(build.store.root()), IsEmpty());
}

TEST(WorkerExecutor, DeafWorkerIsEndedByForce) {
  WorkerBuild build;
  static_cast<void>(build.does("a", "deaf"));
  std::jthread stopper([&] {
    static_cast<void>(build.wait_for_pid());
    build.stop.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(exit_code(build.run()), 130);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_TRUE(has_gone(build.wait_for_pid(), 1));
}

}  // namespace
}  // namespace qbuild::engine::testing
