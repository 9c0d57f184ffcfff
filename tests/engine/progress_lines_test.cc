#include "engine/progress_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ActionFinished finished(Status status, bool executed) {
  ActionFinished event;
  event.target = "bard:Q4_K_M";
  event.rule = "quantize";
  event.status = status;
  event.executed = executed;
  event.seconds = 1.25;
  event.reason = "why";
  return event;
}

TEST(ProgressLines, OneLinePerOutcome) {
  EXPECT_THAT(finished_lines(finished(Status::kReady, true), false),
              ElementsAre("done    bard:Q4_K_M  1.2 s"));
  EXPECT_THAT(finished_lines(finished(Status::kReady, false), false), IsEmpty());
  EXPECT_THAT(finished_lines(finished(Status::kHeld, false), false),
              ElementsAre("held    bard:Q4_K_M: why"));
  EXPECT_THAT(finished_lines(finished(Status::kSkipped, false), false),
              ElementsAre("skipped bard:Q4_K_M: why"));
}

TEST(ProgressLines, FailureShowsCauseAndTheEndOfItsLog) {
  ActionFinished event = finished(Status::kFailed, true);
  event.failure = Failure{ErrorKind::kCorrupt, "NaN in a.b", {"one", "two"}};
  EXPECT_THAT(finished_lines(event, false), ElementsAre("failed  bard:Q4_K_M  1.2 s: NaN in a.b",
                                                        "        | one", "        | two"));
}

TEST(ProgressLines, ColourIsAroundTheWordOnly) {
  EXPECT_THAT(finished_lines(finished(Status::kReady, true), true),
              ElementsAre("\x1b[32mdone    \x1b[0mbard:Q4_K_M  1.2 s"));
}

TEST(ProgressLines, ControlCharactersAreShownNotSent) {
  ActionFinished event = finished(Status::kFailed, true);
  event.failure = Failure{ErrorKind::kCorrupt, "bad \x1b[2Jname", {"one\rtwo", "a\tb"}};
  EXPECT_THAT(finished_lines(event, false),
              ElementsAre("failed  bard:Q4_K_M  1.2 s: bad \\x1b[2Jname", "        | one\\x0dtwo",
                          "        | a\tb"));
  event = finished(Status::kHeld, false);
  event.reason = "\x07";
  EXPECT_THAT(finished_lines(event, false), ElementsAre("held    bard:Q4_K_M: \\x07"));
  EXPECT_EQ(retried_line({.target = "a", .message = "\x1b", .wait_seconds = 1}),
            "again   a in 1.0 s: \\x1b");
}

TEST(ProgressLines, DurationsAndAmountsReadWell) {
  EXPECT_EQ(duration_text(0.04), "0.0 s");
  EXPECT_EQ(duration_text(9.96), "10 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 5 min");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(999'960), "1.0 MB");
  EXPECT_EQ(bytes_text(1.5e9), "1.5 GB");
  EXPECT_EQ(amount_text(1234, "tokens"), "1234 tokens");
  EXPECT_EQ(amount_text(2.5, "tokens"), "2.5 tokens");
}

}  // namespace
}  // namespace qbuild::engine
