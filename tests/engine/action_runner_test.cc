#include "engine/action_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_file_system.h"

namespace qbuild::engine {
namespace {

using ::testing::ElementsAre;

// Does what the test says.
class Doing final : public Rule {
 public:
  using What = std::function<ActionResult(ActionContext&)>;
  explicit Doing(What what) : what_(std::move(what)) {}
  [[nodiscard]] const RuleTraits& traits() const override { return traits_; }
  [[nodiscard]] ActionResult run(const ActionRequest& /*request*/,
                                 ActionContext& context) const override {
    return what_(context);
  }

 private:
  RuleTraits traits_{.name = "do", .version = "1"};
  What what_;
};

std::string text_of(const ExecutorEvent& event) {
  if (std::holds_alternative<ExecutorEvent::Started>(event.what)) return "started";
  if (std::holds_alternative<ExecutorEvent::Done>(event.what)) return "done";
  if (const auto* log = std::get_if<ExecutorEvent::Log>(&event.what)) return "log " + log->line;
  if (const auto* failed = std::get_if<ExecutorEvent::Failed>(&event.what))
    return std::string(error_kind_name(failed->error.kind())) + ": " + failed->error.message();
  if (const auto* progress = std::get_if<ExecutorEvent::Progress>(&event.what))
    return std::to_string(progress->done) + " of " + std::to_string(progress->total);
  return "not run";
}

class ActionRunner : public testing::Test {
 protected:
  std::vector<std::string> events(Doing::What what, const std::string& rule = "do") {
    RuleSet rules;
    rules.add(std::make_unique<Doing>(std::move(what)));
    ActionRequest request;
    request.id = "7";
    request.rule = rule;
    std::vector<std::string> events;
    run_action(request, rules, {disk_, clock_, *processes_}, stop_.get_token(),
               [&](const ExecutorEvent& event) {
                 EXPECT_EQ(event.id, "7");
                 events.push_back(text_of(event));
               });
    return events;
  }

  FakeFileSystem disk_;
  FakeClock clock_{1'700'000'000'000'000'000};
  std::unique_ptr<ProcessRunner> processes_ = make_process_runner();
  std::stop_source stop_;
};

TEST_F(ActionRunner, TellsTheBeginningWhatIsReportedAndTheEnd) {
  EXPECT_THAT(events([](ActionContext& context) {
                context.log("a line");
                context.progress(3, 3, "bytes");
                return ActionResult{};
              }),
              ElementsAre("started", "log a line", "3 of 3", "done"));
}

TEST_F(ActionRunner, PassesOnTenReportsOfProgressASecondAndTheLast) {
  EXPECT_THAT(events([this](ActionContext& context) {
                for (std::uint64_t i = 1; i <= 100; ++i) {
                  clock_.advance_ns(3'000'000);
                  context.progress(i, 100, "tensors");
                }
                return ActionResult{};
              }),
              ElementsAre("started", "1 of 100", "35 of 100", "69 of 100", "100 of 100", "done"));
}

TEST_F(ActionRunner, AnErrorAForeignExceptionAndAMissingRuleAreFailures) {
  EXPECT_THAT(
      events([](ActionContext&) -> ActionResult { throw Error(ErrorKind::kCorrupt, "a cause"); }),
      ElementsAre("started", "corrupt: a cause"));
  EXPECT_THAT(events([](ActionContext&) -> ActionResult { throw std::out_of_range("nine"); }),
              ElementsAre("started", "internal: unexpected: nine"));
  EXPECT_THAT(
      events([](ActionContext&) { return ActionResult{}; }, "other"),
      ElementsAre("started",
                  "unsupported: there is no rule \"other\" here; install qbuild and qbuild-worker "
                  "of the same version"));
}

TEST_F(ActionRunner, WhateverARuleThrowsAfterAStopIsCancelled) {
  EXPECT_THAT(events([this](ActionContext& context) -> ActionResult {
                stop_.request_stop();
                EXPECT_TRUE(context.stop().stop_requested());
                throw Error(ErrorKind::kInternal, "in the middle");
              }),
              ElementsAre("started", testing::StartsWith("cancelled: ")));
}

}  // namespace
}  // namespace qbuild::engine
