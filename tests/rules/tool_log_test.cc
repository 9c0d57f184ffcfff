#include "rules/tool_log.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/error.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A tool that prints what the test tells it, when the test tells it.
class FakeTool final : public ChildProcess {
 public:
  void print(std::string text) {
    const std::lock_guard lock(mutex_);
    texts_.push_back(std::move(text));
    changed_.notify_all();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    changed_.notify_all();
  }
  void break_pipe() { is_broken_ = true; }

  [[nodiscard]] std::string read(std::size_t max_bytes) override {
    if (is_broken_) throw Error(ErrorKind::kTransient, "read from process 7: i/o error");
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return has_ended_ || !texts_.empty(); });
    if (texts_.empty()) return "";
    std::string piece = texts_.front().substr(0, max_bytes);
    texts_.front().erase(0, piece.size());
    if (texts_.front().empty()) texts_.pop_front();
    return piece;
  }
  [[nodiscard]] int pid() const override { return 7; }
  bool write(std::string_view /*bytes*/) override { return false; }
  void close_stdin() override {}
  [[nodiscard]] std::optional<std::string> read_line(std::size_t /*max_bytes*/) override {
    return std::nullopt;
  }
  void signal_group(int /*signal*/) override {}
  [[nodiscard]] ProcessExit wait() override { return {}; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> texts_;
  bool has_ended_ = false;
  bool is_broken_ = false;
};

class ToolLogTest : public testing::Test {
 protected:
  void wait_for_lines(std::size_t count) {
    for (int i = 0; i < 4000 && context_.lines().size() < count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // All of it at once.
  std::vector<std::string> lines_of(std::string text) {
    ToolLog log(tool_, context_);
    tool_.print(std::move(text));
    tool_.end();
    log.finish();
    return context_.lines();
  }

  FakeTool tool_;
  TestContext context_;
};

TEST_F(ToolLogTest, PassesLinesOnAsTheyAreWritten) {
  ToolLog log(tool_, context_);
  tool_.print("one\ntw");
  wait_for_lines(1);
  EXPECT_THAT(context_.lines(), ElementsAre("one"));
  tool_.print("o\n\nthree");
  wait_for_lines(3);
  EXPECT_THAT(context_.lines(), ElementsAre("one", "two", ""));
  tool_.end();
  log.finish();
  EXPECT_THAT(context_.lines(), ElementsAre("one", "two", "", "three"));
}

TEST_F(ToolLogTest, AToolThatWritesNothingHasNoLines) {
  EXPECT_THAT(lines_of(""), IsEmpty());
}

TEST_F(ToolLogTest, OfVeryLongOutputBeginAndEndAreKeptAndTheCutIsSaid) {
  std::string text = "first\n";
  while (text.size() < 8 * ToolLog::kMaxLiveBytes) text += "0123456789abcde\n";
  const auto lines = lines_of(text + "last\n");
  EXPECT_EQ(lines.front(), "first");
  EXPECT_EQ(lines.back(), "last");
  EXPECT_THAT(lines, Contains(EndsWith("bytes of output are left out]")).Times(1));
  std::uint64_t kept = 0;
  for (const std::string& line : lines) kept += line.size() + 1;
  EXPECT_LE(kept, ToolLog::kMaxLiveBytes + 2 * ToolLog::kMaxTailBytes + 100);
}

TEST_F(ToolLogTest, OutputThatFitsIsKeptWhole) {
  std::string text;
  while (text.size() < ToolLog::kMaxLiveBytes + ToolLog::kMaxTailBytes) text += "0123456789abcde\n";
  const auto lines = lines_of(text);
  EXPECT_THAT(lines, SizeIs(text.size() / 16));
  EXPECT_THAT(lines, Each("0123456789abcde"));
}

TEST_F(ToolLogTest, AVeryLongLineComesInPieces) {
  const auto lines = lines_of(std::string(3 * ToolLog::kMaxLineBytes, 'x') + "\nend\n");
  EXPECT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines, Each(SizeIs(testing::Le(ToolLog::kMaxLineBytes))));
  EXPECT_EQ(lines.back(), "end");
}

TEST_F(ToolLogTest, APipeThatFailsIsSaidAtTheEnd) {
  tool_.break_pipe();
  ToolLog log(tool_, context_);
  EXPECT_EQ(error_of([&] { log.finish(); }).kind(), ErrorKind::kTransient);
}

}  // namespace
}  // namespace qbuild::rules
