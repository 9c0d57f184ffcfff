#include <gtest/gtest.h>

#include "engine/progress.h"

namespace qbuild::engine {
namespace {

class TerminalTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string take() { return std::exchange(text, ""); }
  void pass(double seconds) { clock.advance_ns(static_cast<std::int64_t>(seconds * 1e9)); }
  void start(const std::string& target) {
    pass(1);
    progress->on(ActionStarted{.target = target, .rule = "r", .why = {}, .attempt = 1});
  }

  FakeClock clock{1'700'000'000'000'000'000};
  std::string text;
  std::unique_ptr<Progress> progress =
      make_terminal_progress([this](std::string_view more) { text += more; }, clock,
                             {.colour = false, .columns = 72, .rows = 4});
};

TEST_F(TerminalTest, ShowsBarRateAndTimeLeft) {
  start("quant");
  static_cast<void>(take());
  pass(2);
  progress->on(ActionProgress{.target = "quant", .done = 50, .total = 200, .unit = "tokens"});
  EXPECT_EQ(take(),
            "\r\x1b[1A\x1b[J"
            "running quant  [#####...............]  25 %  25 tokens/s  6.0 s left\n");
}

TEST_F(TerminalTest, LinesNeverWrap) {
  start(std::string(200, 'x'));
  const std::string drawn = take();
  EXPECT_EQ(drawn, "running " + std::string(64, 'x') + "\n");
}

TEST_F(TerminalTest, UnknownTotalShowsWhatIsDoneAndSince) {
  start("speed");
  static_cast<void>(take());
  pass(3);
  progress->on(ActionProgress{.target = "speed", .done = 1000, .total = 0, .unit = "bytes"});
  EXPECT_EQ(take(), "\r\x1b[1A\x1b[Jrunning speed  1.0 kB  3.0 s\n");
}

TEST_F(TerminalTest, FinishedLinesStayAboveTheLiveArea) {
  start("a");
  start("b");
  static_cast<void>(take());
  progress->on(ActionFinished{.target = "a",
                              .rule = "r",
                              .status = Status::kReady,
                              .executed = true,
                              .seconds = 1,
                              .reason = "",
                              .failure = std::nullopt});
  EXPECT_EQ(take(), "\r\x1b[2A\x1b[Jdone    a  1.0 s\nrunning b  0.0 s\n");
}

TEST_F(TerminalTest, DrawsAtMostTenTimesASecond) {
  start("a");
  static_cast<void>(take());
  for (int i = 0; i < 100; ++i) {
    progress->on(ActionProgress{.target = "a", .done = 1, .total = 2, .unit = ""});
  }
  EXPECT_EQ(take(), "");
  pass(0.1);
  progress->tick();
  EXPECT_NE(take(), "");
}

TEST_F(TerminalTest, LiveAreaStaysSmallerThanTheScreen) {
  for (const char* target : {"a", "b", "c", "d"}) start(target);
  static_cast<void>(take());
  pass(1);
  progress->tick();
  const std::string drawn = take();
  EXPECT_EQ(drawn, "\r\x1b[2A\x1b[Jrunning a  4.0 s\nrunning 3 more\n");
}

TEST_F(TerminalTest, LeavesNoLiveAreaBehind) {
  start("a");
  static_cast<void>(take());
  progress.reset();
  EXPECT_EQ(take(), "\r\x1b[1A\x1b[J");
}

}  // namespace
}  // namespace qbuild::engine
