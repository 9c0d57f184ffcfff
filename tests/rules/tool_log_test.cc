#include "rules/tool_log.h"

#include <gmock/gmock.h>

#include <string>
#include <thread>

#include "base/fake_file_system.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ToolLogTest : public testing::Test {
 protected:
  void append(std::string_view text) {
    if (!writer_) writer_ = files_.create(path_, CreateMode::kExclusive);
    writer_->append(std::as_bytes(std::span(text)));
  }
  void wait_for_lines(std::size_t count) {
    for (int i = 0; i < 4000 && context_.lines().size() < count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  FakeFileSystem files_;
  fs::path path_ = "/log.txt";
  std::unique_ptr<WritableFile> writer_;
  TestContext context_;
};

TEST_F(ToolLogTest, PassesLinesOnAsTheyAreWritten) {
  ToolLog log(files_, path_, context_);
  append("one\ntw");
  wait_for_lines(1);
  EXPECT_THAT(context_.lines(), ElementsAre("one"));
  append("o\n\nthree");
  wait_for_lines(3);
  EXPECT_THAT(context_.lines(), ElementsAre("one", "two", ""));
  log.finish();
  EXPECT_THAT(context_.lines(), ElementsAre("one", "two", "", "three"));
}

TEST_F(ToolLogTest, AToolThatWritesNothingHasNoLines) {
  ToolLog log(files_, path_, context_);
  log.finish();
  EXPECT_THAT(context_.lines(), IsEmpty());
}

TEST_F(ToolLogTest, OfVeryLongOutputBeginAndEndAreKeptAndTheCutIsSaid) {
  std::string text = "first\n";
  while (text.size() < 4 * ToolLog::kMaxLiveBytes) text += "0123456789abcde\n";
  append(text + "last\n");
  ToolLog log(files_, path_, context_);
  wait_for_lines(60'000);  // all that is passed on before the end
  log.finish();
  const auto lines = context_.lines();
  EXPECT_EQ(lines.front(), "first");
  EXPECT_EQ(lines.back(), "last");
  EXPECT_THAT(lines, Contains(EndsWith("bytes of output are left out]")).Times(1));
  EXPECT_LE(lines.size(), (ToolLog::kMaxLiveBytes + ToolLog::kMaxTailBytes) / 16 + 4);
}

TEST_F(ToolLogTest, AVeryLongLineComesInPieces) {
  append(std::string(3 * ToolLog::kMaxLineBytes, 'x') + "\n");
  ToolLog log(files_, path_, context_);
  log.finish();
  EXPECT_THAT(context_.lines(), SizeIs(testing::Ge(3u)));
  EXPECT_THAT(context_.lines(), Each(SizeIs(testing::Le(2 * ToolLog::kMaxLineBytes))));
}

TEST_F(ToolLogTest, ADiskThatFailsIsSaidAtTheEnd) {
  append("one\n");
  files_.fail(FakeFileSystem::Call::kRead, 1, EIO);
  ToolLog log(files_, path_, context_);
  EXPECT_EQ(error_of([&] { log.finish(); }).kind(), ErrorKind::kTransient);
}

}  // namespace
}  // namespace qbuild::rules
