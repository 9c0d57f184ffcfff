// How a run ends when not everything goes well: failures, held targets, stops.

#include "engine/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Behaviour fails_with(ErrorKind kind, const std::string& message) {
  return [=](const ActionRequest&, ActionContext& context) -> ActionResult {
    context.log("first line");
    context.log("last line");
    throw Error(kind, message);
  };
}

TEST(Run, FailureSkipsWhatNeedsItAndAFixRunsExactlyTheRest) {
  FakeBuild build;
  const NodeId good = build.action("good", "g");
  const NodeId bad = build.action("bad", "b");
  const NodeId below = build.action("below", "x", {bad});
  const NodeId card = build.action("card", "c", {good, below});
  const NodeId alone = build.action("alone", "a", {good});
  build.behaviours["bad"] = fails_with(ErrorKind::kInvalidInput, "tensor a.b has a NaN at 7");
  const RunReport report = build.run();
  EXPECT_EQ(exit_code(report), 1);
  EXPECT_EQ(report.counters.executed, 2u);
  EXPECT_EQ(report.counters.failed, 1u);
  EXPECT_EQ(report.counters.skipped, 2u);
  EXPECT_EQ(report.nodes.at(alone).status, Status::kReady);
  EXPECT_EQ(report.nodes.at(bad).failure->message, "tensor a.b has a NaN at 7");
  EXPECT_EQ(report.nodes.at(bad).failure->kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(report.nodes.at(bad).failure->log_tail, ElementsAre("first line", "last line"));
  EXPECT_EQ(read_text(build.project.log("bad")), "first line\nlast line\n");
  EXPECT_EQ(report.nodes.at(below).reason, "needs bad, which failed");
  EXPECT_EQ(report.nodes.at(card).status, Status::kSkipped);
  EXPECT_FALSE(report.witnesses.has_value());
  EXPECT_EQ(summarize(build.why("bad")), "failed last time: tensor a.b has a NaN at 7");

  build.behaviours.clear();
  static_cast<void>(build.take_ran());
  EXPECT_EQ(exit_code(build.run()), 0);
  EXPECT_THAT(build.take_ran(), ElementsAre("bad", "below", "card"));
}

TEST(Run, HeldCheckHoldsHardConsumersAndTellsSoftOnes) {
  FakeBuild build;
  const NodeId quant = build.action("quant", "q");
  const NodeId gate = build.check("gate", {quant}, "ratio 1.045 is above 1.03");
  const NodeId hard = build.action("hard", "h", {gate});
  const NodeId soft = build.action("soft", "s", {quant, gate});
  build.soften(soft, gate);
  std::string seen;
  build.behaviours["soft"] = [&](const ActionRequest& request, ActionContext&) {
    seen = std::string(status_name(request.input("in.gate").status)) + ": " +
           request.input("in.gate").reason;
    ActionResult result;
    result.inline_files["note"] = "x";
    return result;
  };
  const RunReport report = build.run();
  EXPECT_EQ(exit_code(report), 3);
  EXPECT_EQ(report.nodes.at(gate).status, Status::kHeld);
  EXPECT_EQ(report.nodes.at(hard).status, Status::kHeld);
  EXPECT_EQ(report.nodes.at(hard).reason, "gate is held: ratio 1.045 is above 1.03");
  EXPECT_EQ(report.nodes.at(soft).status, Status::kReady);
  EXPECT_EQ(seen, "held: ratio 1.045 is above 1.03");
  EXPECT_EQ(report.counters.held, 2u);

  static_cast<void>(build.take_ran());
  const RunReport again = build.run();
  EXPECT_EQ(exit_code(again), 3) << "also when there was nothing to do";
  EXPECT_THAT(build.take_ran(), IsEmpty());
}

TEST(Run, GateThatStillPassesRunsNothingAndOneThatTurnsRunsItsSoftConsumers) {
  FakeBuild build;
  const NodeId quant = build.action("quant", "q");
  const NodeId gate = build.check("gate", {quant}, std::nullopt);
  const NodeId card = build.action("card", "c", {quant, gate});
  build.soften(card, gate);
  static_cast<void>(build.run());
  static_cast<void>(build.take_ran());
  build.node(gate).judge = [](auto) { return Verdict{false, "another limit", Json()}; };
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), IsEmpty());
  build.node(gate).judge = [](auto) { return Verdict{true, "too bad", Json()}; };
  EXPECT_EQ(summarize(build.why("card")), "key changed: input.in.gate.status: ready -> held");
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), ElementsAre("card"));
}

TEST(Run, JudgementThatThrowsFailsItsCheck) {
  FakeBuild build;
  const NodeId quant = build.action("quant", "q");
  const NodeId gate = build.check("gate", {quant}, std::nullopt);
  build.node(gate).judge = [](auto) -> Verdict {
    throw Error(ErrorKind::kCorrupt, "no perplexity in the result");
  };
  const RunReport report = build.run();
  EXPECT_EQ(exit_code(report), 1);
  EXPECT_EQ(report.nodes.at(gate).failure->message, "no perplexity in the result");
}

TEST(Run, FailFastStartsNothingNew) {
  FakeBuild build;
  build.options.jobs = 1;
  build.options.fail_fast = true;
  const NodeId bad = build.action("bad", "b");
  const NodeId later = build.action("later", "l");
  build.behaviours["bad"] = fails_with(ErrorKind::kInvalidInput, "no");
  const RunReport report = build.run();
  EXPECT_THAT(build.take_ran(), ElementsAre("bad"));
  EXPECT_EQ(report.nodes.at(bad).status, Status::kFailed);
  EXPECT_EQ(report.nodes.at(later).reason, "stopped after bad failed (--fail-fast)");
  EXPECT_EQ(exit_code(report), 1);
}

TEST(Run, InterruptLeavesNothingHalfDone) {
  FakeBuild build;
  const NodeId slow = build.action("slow", "s");
  const NodeId next = build.action("next", "n", {slow});
  build.behaviours["slow"] = [&](const ActionRequest& request, ActionContext& context) {
    static_cast<void>(produce(request, "half", "half of it"));
    build.stop.request_stop();
    while (!context.stop().stop_requested()) {
    }
    throw Error(ErrorKind::kCancelled, "stopped");
    return ActionResult();
  };
  const RunReport report = build.run();
  EXPECT_EQ(exit_code(report), 130);
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.nodes.at(slow).status, Status::kSkipped);
  EXPECT_EQ(report.nodes.at(next).reason, "interrupted");
  EXPECT_EQ(report.counters.failed, 0u);
  EXPECT_THAT(scratch_in(build.store.root()), IsEmpty());
  EXPECT_FALSE(report.witnesses.has_value());
}

TEST(Run, TransientFailureIsTriedAgainAndOthersAreNot) {
  FakeBuild build;
  static_cast<void>(build.action("network", "n", {}, "flaky"));
  static_cast<void>(build.action("nonsense", "x", {}, "flaky"));
  int attempts = 0;
  build.behaviours["network"] = [&](const ActionRequest& request, ActionContext&) {
    if (++attempts < 3) throw Error(ErrorKind::kTransient, "connection reset");
    ActionResult result;
    result.files.push_back(produce(request, "out", "at last"));
    return result;
  };
  build.behaviours["nonsense"] = fails_with(ErrorKind::kCorrupt, "nonsense");
  const RunReport report = build.run();
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(report.counters.executed, 1u);
  EXPECT_EQ(report.counters.failed, 1u);
  EXPECT_EQ(std::ranges::count(build.take_ran(), "nonsense"), 1);
}

TEST(Run, TransientFailureThatStaysIsAFailure) {
  FakeBuild build;
  const NodeId node = build.action("network", "n", {}, "flaky");
  build.behaviours["network"] = fails_with(ErrorKind::kTransient, "connection reset");
  const RunReport report = build.run();
  EXPECT_EQ(build.take_ran().size(), 4u);
  EXPECT_EQ(report.nodes.at(node).failure->message, "connection reset");
}

TEST(Run, SourceThatChangesWhileItIsReadFailsTheAction) {
  FakeBuild build;
  const NodeId source = build.source("source", "before");
  const NodeId quant = build.action("quant", "q", {source});
  build.behaviours["quant"] = [&](const ActionRequest& request, ActionContext&) {
    write_text(request.inputs[0].paths[0], "something longer");
    ActionResult result;
    result.files.push_back(produce(request, "out", "mixed"));
    return result;
  };
  const RunReport report = build.run();
  EXPECT_EQ(report.nodes.at(quant).failure->message,
            build.node(source).paths[0].string() +
                " changed while it was read; run again when nothing writes to it");
}

TEST(Run, SourceThatGetsAFurtherNameWhileItIsReadHasNotChanged) {
  FakeBuild build;
  const NodeId source = build.source("source", "before");
  const NodeId quant = build.action("quant", "q", {source});
  build.behaviours["quant"] = [&](const ActionRequest& request, ActionContext&) {
    const fs::path path = request.inputs[0].paths[0];
    fs::create_hard_link(path, path.string() + ".too");
    ActionResult result;
    result.files.push_back(produce(request, "out", "made"));
    return result;
  };
  EXPECT_EQ(build.run().nodes.at(quant).status, Status::kReady);
}

TEST(Run, SourceThatIsEditedBehindItsTimeIsFoundOut) {
  FakeBuild build;
  const NodeId source = build.source("source", "before");
  const NodeId quant = build.action("quant", "q", {source});
  build.behaviours["quant"] = [&](const ActionRequest& request, ActionContext&) {
    const fs::path path = request.inputs[0].paths[0];
    const auto time = fs::last_write_time(path);
    write_text(path, "behind");
    fs::last_write_time(path, time);
    ActionResult result;
    result.files.push_back(produce(request, "out", "mixed"));
    return result;
  };
  const RunReport report = build.run();
  ASSERT_TRUE(report.nodes.at(quant).failure);
  EXPECT_THAT(report.nodes.at(quant).failure->message,
              testing::HasSubstr("changed while it was read"));
}

// A disk that takes no explanations costs explanations, not the run.
TEST(Run, WhatCannotBeRememberedIsOneWarning) {
  FakeBuild build;
  const NodeId good = build.action("good", "g");
  const NodeId bad = build.action("bad", "b");
  build.behaviours["bad"] = fails_with(ErrorKind::kInvalidInput, "no");
  static_cast<void>(build.run());
  const fs::path folder = build.project.last("good").parent_path();
  fs::remove_all(folder);
  write_text(folder, "a file where the folder should be");
  const RunReport report = build.run();
  EXPECT_EQ(exit_code(report), 1);
  EXPECT_EQ(report.nodes.at(good).status, Status::kReady);
  EXPECT_EQ(report.nodes.at(bad).failure->message, "no");
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr(": its last run is not remembered: ")));
}

TEST(Run, LogsThatCannotBeWrittenAreOneWarning) {
  FakeBuild build;
  static_cast<void>(build.action("a", "a"));
  static_cast<void>(build.action("b", "b"));
  for (const char* const target : {"a", "b"})
    build.behaviours[target] = [](const ActionRequest& request, ActionContext& context) {
      context.log("one line");
      ActionResult result;
      result.files.push_back(produce(request, "out", "x"));
      return result;
    };
  write_text(build.project.log("a").parent_path(), "a file where the folder should be");
  const RunReport report = build.run();
  EXPECT_EQ(exit_code(report), 0);
  EXPECT_THAT(report.warnings, ElementsAre(StartsWith("the logs of this run are incomplete: ")));
}

TEST(Run, CountersAddUpWhatTheActionsTold) {
  FakeBuild build;
  static_cast<void>(build.action("a", "a"));
  build.behaviours["a"] = [](const ActionRequest& request, ActionContext&) {
    ActionResult result;
    result.files.push_back(produce(request, "out", "x"));
    result.bytes_read = 10;
    result.bytes_written = 20;
    result.bytes_hashed = 30;
    result.requests = 4;
    return result;
  };
  const Counters counters = build.run().counters;
  EXPECT_EQ(counters.bytes_read, 10u);
  EXPECT_EQ(counters.bytes_written, 20u);
  EXPECT_EQ(counters.bytes_hashed, 31u) << "and what it made, once more";
  EXPECT_EQ(counters.requests, 4u);
}

}  // namespace
}  // namespace qbuild::engine::testing
