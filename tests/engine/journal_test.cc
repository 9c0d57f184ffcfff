#include "engine/journal.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/fake_file_system.h"

namespace qbuild::engine {
namespace {

const fs::path kPath = "/p/.qbuild/journal.jsonl";

ActionFinished ran(const std::string& target) {
  return {.target = target,
          .rule = "make",
          .status = Status::kReady,
          .executed = true,
          .seconds = 1,
          .reason = "",
          .failure = std::nullopt};
}

class JournalTest : public ::testing::Test {
 protected:
  void note_run(const std::string& id) {
    Journal journal(files, clock, kPath, id);
    journal.note(RunStarted{.run_id = id, .actions = 2});
    journal.note(ran("a"));
    journal.note(RunFinished{});
    EXPECT_EQ(journal.warning(), "");
  }
  FakeFileSystem files;
  FakeClock clock{1'700'000'000'000'000'000};
};

TEST_F(JournalTest, KeepsTheLinesOfEachRun) {
  note_run("one");
  note_run("two");
  const auto lines = read_journal(files, kPath);
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[0].dump(),
            R"({"run":"one","at":"2023-11-14T22:13:20Z","event":"run_started","actions":2})");
  EXPECT_EQ(lines[1].at("event").as_string(), "finished");
  EXPECT_EQ(lines[1].at("target").as_string(), "a");
  EXPECT_EQ(lines[5].at("run").as_string(), "two");
  EXPECT_EQ(lines[5].at("exit_code").as_int(), 0);
}

TEST_F(JournalTest, WhatWasReusedLeavesNoLineNorDoProgressAndLogs) {
  Journal journal(files, clock, kPath, "one");
  ActionFinished reused = ran("a");
  reused.executed = false;
  journal.note(reused);
  journal.note(ActionProgress{});
  journal.note(ActionLogged{});
  EXPECT_TRUE(files.files().empty());
}

TEST_F(JournalTest, LinesAreFlushedTogetherWhenTheFirstHasWaitedLongEnough) {
  Journal journal(files, clock, kPath, "one");
  EXPECT_FALSE(journal.ns_until_due());
  journal.note(RunStarted{});
  files.flush_directory("/p/.qbuild");
  EXPECT_EQ(journal.ns_until_due(), kMaxJournalDelayNs);
  clock.advance_ns(kMaxJournalDelayNs - 1);
  journal.note(ran("a"));
  const std::uint64_t flushes = files.count(FakeFileSystem::Call::kFlush);
  journal.flush_if_due();
  EXPECT_EQ(files.count(FakeFileSystem::Call::kFlush), flushes);
  clock.advance_ns(1);
  EXPECT_EQ(journal.ns_until_due(), 0);
  journal.flush_if_due();
  journal.flush_if_due();
  EXPECT_EQ(files.count(FakeFileSystem::Call::kFlush), flushes + 1);
  EXPECT_FALSE(journal.ns_until_due());
  files.crash();
  EXPECT_EQ(read_journal(files, kPath).size(), 2u);
}

TEST_F(JournalTest, TheEndOfARunWaitsForNothing) {
  note_run("one");
  files.flush_directory("/p/.qbuild");
  files.crash();
  EXPECT_EQ(read_journal(files, kPath).size(), 3u);
}

TEST_F(JournalTest, AFlushThatFailsIsAWarning) {
  Journal journal(files, clock, kPath, "one");
  files.fail(FakeFileSystem::Call::kFlush, 1, EIO);
  journal.note(RunStarted{});
  journal.note(RunFinished{});
  EXPECT_EQ(journal.warning().find("the journal of this run is incomplete: "), 0u);
}

TEST_F(JournalTest, TornLinesAreLeftOutAndDoNotHarmTheNextRun) {
  files.put(kPath, "{\"run\":\"one\",\"event\":\"finished\"}\nnonsense\n{\"run\":\"one\",\"ev");
  note_run("two");
  const auto lines = read_journal(files, kPath);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1].at("run").as_string(), "two");
}

TEST_F(JournalTest, StartsANewFileWhenItIsLarge) {
  std::string old;
  const std::string line = "{\"run\":\"old\",\"filler\":\"" + std::string(1000, 'x') + "\"}\n";
  while (old.size() < kMaxJournalBytes) old += line;
  files.put(kPath, old);
  note_run("new");
  EXPECT_LT(files.contents(kPath).size(), 2000u);
  const auto lines = read_journal(files, kPath);
  EXPECT_EQ(lines.front().at("run").as_string(), "old");
  EXPECT_EQ(lines.back().at("run").as_string(), "new");
}

TEST_F(JournalTest, FullDiskIsAWarning) {
  files.set_free_bytes(0);
  Journal journal(files, clock, kPath, "one");
  journal.note(RunStarted{});
  journal.note(RunFinished{});
  EXPECT_EQ(journal.warning().find("the journal of this run is incomplete: "), 0u);
}

TEST_F(JournalTest, NoJournalIsNoHistory) {
  EXPECT_TRUE(read_journal(files, kPath).empty());
}

TEST_F(JournalTest, RunIdsSortByTime) {
  const std::string one = make_run_id(clock);
  EXPECT_EQ(one.find("20231114-221320-"), 0u);
  clock.advance_ns(1'000'000'000);
  EXPECT_LT(one, make_run_id(clock));
}

}  // namespace
}  // namespace qbuild::engine
