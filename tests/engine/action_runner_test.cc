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

// Does what the test says with several.
class DoingTogether final : public Rule {
 public:
  using What = std::function<void(std::span<const TogetherAction>, const ActionEnded&)>;
  explicit DoingTogether(What what) : what_(std::move(what)) {}
  [[nodiscard]] const RuleTraits& traits() const override { return traits_; }
  [[nodiscard]] ActionResult run(const ActionRequest& /*request*/,
                                 ActionContext& /*context*/) const override {
    return {};
  }
  void run_together(std::span<const TogetherAction> actions,
                    const ActionEnded& ended) const override {
    what_(actions, ended);
  }

 private:
  RuleTraits traits_{.name = "do", .version = "1", .fuses = true};
  What what_;
};

class GroupRunner : public testing::Test {
 protected:
  std::vector<std::string> events(DoingTogether::What what, const std::string& rule = "do") {
    RuleSet rules;
    rules.add(std::make_unique<DoingTogether>(std::move(what)));
    std::vector<ActionRequest> requests(3);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests[i].id = std::to_string(i);
      requests[i].rule = rule;
    }
    std::vector<std::string> events;
    run_together(
        requests, rules, {disk_, clock_, *processes_}, stop_.get_token(),
        [&](const ExecutorEvent& event) { events.push_back(event.id + " " + text_of(event)); });
    return events;
  }

  FakeFileSystem disk_;
  FakeClock clock_{1'700'000'000'000'000'000};
  std::unique_ptr<ProcessRunner> processes_ = make_process_runner();
  std::stop_source stop_;
};

constexpr const char* kBegun[] = {"0 started", "1 started", "2 started"};

TEST_F(GroupRunner, TellsTheEndOfEachWhenItComes) {
  EXPECT_THAT(events([](std::span<const TogetherAction> actions, const ActionEnded& ended) {
                actions[0].context.log("a line");
                ended(2, {.result = ActionResult{}, .error = {}});
                actions[1].context.progress(3, 3, "bytes");
                ended(0, {.result = {}, .error = Error(ErrorKind::kCorrupt, "a cause")});
                ended(1, {.result = ActionResult{}, .error = {}});
              }),
              ElementsAre(kBegun[0], kBegun[1], kBegun[2], "0 log a line", "2 done", "1 3 of 3",
                          "0 corrupt: a cause", "1 done"));
}

TEST_F(GroupRunner, NothingIsReportedOfAnActionAfterItsEnd) {
  EXPECT_THAT(events([](std::span<const TogetherAction> actions, const ActionEnded& ended) {
                for (std::size_t i = 0; i < 3; ++i)
                  ended(i, {.result = ActionResult{}, .error = {}});
                actions[1].context.log("late");
                actions[1].context.progress(1, 1, "bytes");
              }),
              ElementsAre(kBegun[0], kBegun[1], kBegun[2], "0 done", "1 done", "2 done"));
}

TEST_F(GroupRunner, WhatIsThrownEndsTheRest) {
  EXPECT_THAT(events([](auto, const ActionEnded& ended) {
                ended(1, {.result = ActionResult{}, .error = {}});
                throw std::out_of_range("nine");
              }),
              ElementsAre(kBegun[0], kBegun[1], kBegun[2], "1 done", "0 internal: unexpected: nine",
                          "2 internal: unexpected: nine"));
}

TEST_F(GroupRunner, ASecondEndAndAMissingOneAreFailuresOfTheRest) {
  EXPECT_THAT(events([](auto, const ActionEnded& ended) {
                ended(1, {.result = ActionResult{}, .error = {}});
                ended(1, {.result = ActionResult{}, .error = {}});
              }),
              ElementsAre(kBegun[0], kBegun[1], kBegun[2], "1 done",
                          "0 internal: the rule ended action 2 of 3 when it could not end",
                          "2 internal: the rule ended action 2 of 3 when it could not end"));
  EXPECT_THAT(
      events([](auto, const ActionEnded&) {}),
      ElementsAre(kBegun[0], kBegun[1], kBegun[2], "0 internal: the rule did not say how it ended",
                  "1 internal: the rule did not say how it ended",
                  "2 internal: the rule did not say how it ended"));
}

TEST_F(GroupRunner, AnErrorAfterAStopIsCancelledAndARuleThatIsNotHereIsNamed) {
  EXPECT_THAT(events([](auto, const ActionEnded&) {}, "other"),
              testing::Contains(testing::StartsWith("2 unsupported: there is no rule \"other\"")));
  EXPECT_THAT(events([this](auto, const ActionEnded& ended) {
                stop_.request_stop();
                ended(0, {.result = ActionResult{}, .error = {}});
                ended(1, {.result = {}, .error = Error(ErrorKind::kInternal, "in the middle")});
              }),
              ElementsAre(kBegun[0], kBegun[1], kBegun[2], "0 done", "1 cancelled: in the middle",
                          "2 cancelled: the rule did not say how it ended"));
}

}  // namespace
}  // namespace qbuild::engine
