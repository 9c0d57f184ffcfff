#include "engine/open_actions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::EndsWith;

Batch batch(Batch::Order order, const std::vector<int>& limits_ms) {
  Batch batch;
  batch.order = order;
  for (const int limit_ms : limits_ms) {
    ActionRequest request;
    request.id = std::to_string(batch.actions.size() + 1);
    request.time_limit = milliseconds(limit_ms);
    batch.actions.push_back(std::move(request));
  }
  return batch;
}

OpenActions together(const std::vector<int>& limits_ms) {
  OpenActions open;
  open.add(batch(Batch::Order::kTogether, limits_ms));
  return open;
}

OpenActions in_turn(const std::vector<int>& limits_ms) {
  OpenActions open;
  open.add(batch(Batch::Order::kInTurn, limits_ms));
  return open;
}

std::string text_of(const ExecutorEvent& event) {
  if (std::holds_alternative<ExecutorEvent::NotRun>(event.what)) return event.id + " not run";
  if (const auto* failed = std::get_if<ExecutorEvent::Failed>(&event.what))
    return event.id + " failed: " + failed->error.message();
  if (const auto* broken = std::get_if<ExecutorEvent::BrokeDown>(&event.what))
    return event.id + " broke down: " + broken->error.message();
  return event.id + " done";
}

std::vector<std::string> texts_of(const std::vector<ExecutorEvent>& events) {
  std::vector<std::string> texts;
  for (const ExecutorEvent& event : events) texts.push_back(text_of(event));
  return texts;
}

Breakdown crash() {
  return {.error = Error(ErrorKind::kInternal, "crash"), .is_greeted = true};
}

std::string refusal(const OpenActions& open, const ExecutorEvent& event) {
  try {
    open.check_turn(event);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    return error.message();
  }
  return "accepted";
}

constexpr const char* kLate1 = "1 failed: did not end within 0.2 s (resources.time_limit)";
constexpr const char* kNeighbour =
    " broke down: the worker was stopped: an action that ran together with this one took too long";

TEST(OpenActions, TogetherEachMayBeginAndEndInAnyOrderButOnce) {
  OpenActions open = together({100, 100});
  EXPECT_THAT(refusal(open, {"2", ExecutorEvent::Done{}}), EndsWith("out of turn: \"2\""));
  EXPECT_THAT(refusal(open, {"2", ExecutorEvent::Progress{}}), EndsWith("out of turn: \"2\""));
  EXPECT_EQ(refusal(open, {"2", ExecutorEvent::Started{}}), "accepted");
  open.start("2");
  EXPECT_THAT(refusal(open, {"2", ExecutorEvent::Started{}}), EndsWith("out of turn: \"2\""));
  EXPECT_EQ(refusal(open, {"1", ExecutorEvent::Started{}}), "accepted");
  open.start("1");
  EXPECT_EQ(refusal(open, {"2", ExecutorEvent::Log{}}), "accepted");
  EXPECT_EQ(refusal(open, {"1", ExecutorEvent::Log{}}), "accepted");
  EXPECT_EQ(refusal(open, {"2", ExecutorEvent::Done{}}), "accepted");
  open.end("2");
  for (const ExecutorEvent& late :
       {ExecutorEvent{"2", ExecutorEvent::Done{}}, ExecutorEvent{"2", ExecutorEvent::Log{}},
        ExecutorEvent{"2", ExecutorEvent::Started{}}, ExecutorEvent{"3", ExecutorEvent::Log{}}}) {
    EXPECT_THAT(refusal(open, late), testing::HasSubstr("that it was not given"));
  }
  EXPECT_THAT(open.started(), ElementsAre("1"));
}

TEST(OpenActions, InTurnOnlyTheFirstIsSpokenOf) {
  OpenActions open = in_turn({100, 100});
  EXPECT_THAT(refusal(open, {"2", ExecutorEvent::Started{}}), EndsWith("out of turn: \"2\""));
  open.start("1");
  open.end("1");
  EXPECT_EQ(refusal(open, {"2", ExecutorEvent::Started{}}), "accepted");
}

TEST(OpenActions, TogetherLimitsCountFromTheBeginningOfTheBatch) {
  OpenActions open = together({300, 200, 900});
  EXPECT_EQ(open.until_late(milliseconds(0)), milliseconds(200));
  EXPECT_EQ(open.until_late(milliseconds(150)), milliseconds(50));
  open.end("2");
  EXPECT_EQ(open.until_late(milliseconds(150)), milliseconds(150));
  open.end("1");
  EXPECT_EQ(open.until_late(milliseconds(2000)), milliseconds(0));
  EXPECT_EQ(in_turn({300, 200}).until_late(milliseconds(150)), milliseconds(300));
}

TEST(OpenActions, ACrashTogetherLeavesAllThatWereBegunInDoubt) {
  OpenActions open = together({100, 100, 100});
  open.start("1");
  open.start("3");
  EXPECT_THAT(texts_of(open.give_up(crash())),
              ElementsAre("1 broke down: crash", "2 not run", "3 broke down: crash"));
  EXPECT_TRUE(open.empty());
}

TEST(OpenActions, ACrashInTurnIsTheFaultOfTheOneAtWork) {
  OpenActions open = in_turn({100, 100});
  open.start("1");
  EXPECT_THAT(texts_of(open.give_up(crash())), ElementsAre("1 failed: crash", "2 not run"));
}

TEST(OpenActions, AWorkerThatNeverBeganAnythingFailsAll) {
  for (OpenActions open : {in_turn({100, 100}), together({100, 100})}) {
    EXPECT_THAT(texts_of(open.give_up(crash())), ElementsAre("1 failed: crash", "2 failed: crash"));
  }
  Breakdown later = crash();
  later.has_worked = true;
  for (OpenActions open : {in_turn({100, 100}), together({100, 100})}) {
    EXPECT_THAT(texts_of(open.give_up(later)), ElementsAre("1 not run", "2 not run"));
  }
}

TEST(OpenActions, TogetherWhoIsLateFailsAndTheOthersMayRunOnceMore) {
  OpenActions open = together({200, 900, 200, 900});
  for (const char* id : {"1", "2", "3", "4"}) open.start(id);
  static_cast<void>(open.until_late(milliseconds(0)));
  const ExecutorEvent::Failed stopped{Error(ErrorKind::kCancelled, "stopped"), 0.2};
  EXPECT_EQ(text_of(open.end_late({"2", stopped})), std::string("2") + kNeighbour);
  EXPECT_EQ(text_of(open.end_late({"1", stopped})), kLate1);
  EXPECT_EQ(text_of(open.end_late({"4", ExecutorEvent::Done{}})), "4 done");
  Breakdown told = crash();
  told.was_told_to_end = true;
  EXPECT_THAT(texts_of(open.give_up(told)),
              ElementsAre("3 failed: did not end within 0.2 s (resources.time_limit)"));
}

TEST(OpenActions, TogetherWhatIsLeftOfAWorkerThatHadToBeKilledIsJudgedTheSame) {
  OpenActions open = together({200, 900});
  for (const char* id : {"1", "2"}) open.start(id);
  static_cast<void>(open.until_late(milliseconds(0)));
  Breakdown told = crash();
  told.was_told_to_end = true;
  EXPECT_THAT(texts_of(open.give_up(told)), ElementsAre(kLate1, std::string("2") + kNeighbour));
}

TEST(OpenActions, WhoDoesNotGreetIsBlamedOnOneAndTheOthersGoElsewhere) {
  Breakdown silent = crash();
  silent.is_greeted = false;
  silent.was_told_to_end = true;
  for (OpenActions open : {in_turn({200, 900}), together({200, 900})}) {
    EXPECT_EQ(open.greeting_limit(), milliseconds(200));
    EXPECT_THAT(texts_of(open.give_up(silent)),
                ElementsAre("1 failed: the worker did not greet within 0.2 s", "2 not run"));
  }
}

TEST(OpenActions, AnInterruptIsNobodysFault) {
  OpenActions open = together({200, 900});
  open.start("1");
  Breakdown interrupted = crash();
  interrupted.is_cancelled = true;
  EXPECT_THAT(texts_of(open.give_up(interrupted)),
              ElementsAre("1 failed: interrupted", "2 failed: interrupted"));
}

TEST(OpenActions, AWorkerThatCannotBeStartedFailsAll) {
  OpenActions open = together({200, 900});
  EXPECT_THAT(texts_of(open.fail_all(Error(ErrorKind::kNotFound, "no program"))),
              ElementsAre("1 failed: worker: no program", "2 failed: worker: no program"));
}

}  // namespace
}  // namespace qbuild::engine
