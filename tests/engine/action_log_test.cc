#include "engine/action_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_file_system.h"

namespace qbuild::engine {
namespace {

using ::testing::ElementsAre;

TEST(ActionLog, BeginsAnewAndKeepsTheLines) {
  FakeFileSystem files;
  files.put("/logs/a.log", "of the last run\n");
  ActionLog log(files, "/logs/a.log");
  EXPECT_TRUE(files.files().empty()) << "a silent action has no log";
  log.append("one");
  log.append("two");
  EXPECT_EQ(files.contents("/logs/a.log"), "one\ntwo\n");
  EXPECT_THAT(log.tail(), ElementsAre("one", "two"));
}

TEST(ActionLog, TailHoldsTheLastLines) {
  FakeFileSystem files;
  ActionLog log(files, "/a.log");
  for (int i = 0; i < 100; ++i) log.append(std::to_string(i));
  EXPECT_EQ(log.tail().size(), kLogTailLines);
  EXPECT_EQ(log.tail().back(), "99");
}

TEST(ActionLog, DropsWhatWouldMoveATerminal) {
  FakeFileSystem files;
  ActionLog log(files, "/a.log");
  log.append("a\x1b[2Jb\tc\r");
  EXPECT_THAT(log.tail(), ElementsAre("a[2Jb\tc"));
}

TEST(ActionLog, IsCutAtItsLargestSizeSaysSoAndKeepsTheTail) {
  FakeFileSystem files;
  ActionLog log(files, "/a.log");
  const std::string line(4000, 'x');
  for (int i = 0; i < 2000; ++i) log.append(line);
  log.append("last");
  const std::string text = files.contents("/a.log");
  EXPECT_TRUE(log.is_cut());
  EXPECT_LE(text.size(), kMaxLogBytes + 100);
  EXPECT_GT(text.size(), kMaxLogBytes - 5000);
  EXPECT_TRUE(text.ends_with("x\n[the log is cut here: it reached its largest size]\n"));
  EXPECT_EQ(log.tail().back(), "last");
}

TEST(ActionLog, AVeryLongLineIsCutAndSaysSo) {
  FakeFileSystem files;
  ActionLog log(files, "/a.log");
  log.append(std::string(1u << 20, 'x'));
  EXPECT_EQ(files.contents("/a.log"), std::string(kMaxLogLine, 'x') + " [cut]\n");
  EXPECT_THAT(log.tail(), ElementsAre(std::string(kMaxLogLine, 'x') + " [cut]"));
  EXPECT_FALSE(log.is_cut());
}

TEST(ActionLog, KeepsTheTailOnAFullDiskAndSaysWhy) {
  FakeFileSystem files;
  files.set_free_bytes(0);
  ActionLog log(files, "/a.log");
  EXPECT_EQ(log.warning(), "");
  log.append("cause");
  EXPECT_THAT(log.tail(), ElementsAre("cause"));
  EXPECT_EQ(log.warning(), "write /a.log: no space left on the disk");
}

}  // namespace
}  // namespace qbuild::engine
