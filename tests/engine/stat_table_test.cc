#include "engine/stat_table.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fake_file_system.h"
#include "tests/base/endless_files.h"
#include "tests/base/expect_error.h"

namespace qbuild::engine {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'123'456'789;
constexpr std::int64_t kSecond = 1'000'000'000;

class StatTableTest : public ::testing::Test {
 protected:
  void pass(std::int64_t ns) {
    files.advance_ns(ns);
    clock.advance_ns(ns);
  }
  void edit(std::string_view text) {
    auto file = files.create("/f", CreateMode::kTruncate);
    file->append(as_bytes(text));
    file->close();
  }

  FakeFileSystem files{kNow};
  FakeClock clock{kNow};
  std::int64_t waited_ns = 0;
  StatTable table{files, clock, [this](std::int64_t ns) {
                    waited_ns += ns;
                    pass(ns);
                  }};
};

TEST_F(StatTableTest, AFileThatGrowsWithoutEndIsAnErrorNotAnEndlessRead) {
  files.put("/f", "one");
  pass(kSecond);
  EndlessFiles endless(files);
  StatTable of_endless(endless, clock, [](std::int64_t) {});
  const Error error = test::error_of([&] { static_cast<void>(of_endless.digest_file("/f")); });
  EXPECT_EQ(error.message(), "/f changed while it was read; try again when nothing writes to it");
}

TEST_F(StatTableTest, HashesAFileOnceAsLongAsItsStatStays) {
  files.put("/f", "one");
  pass(kSecond);
  EXPECT_EQ(table.digest_file("/f"), sha256("one"));
  EXPECT_EQ(table.digest_file("/f"), sha256("one"));
  EXPECT_EQ(table.bytes_hashed(), 3u);
  EXPECT_EQ(waited_ns, 0);
  edit("other");
  EXPECT_EQ(table.digest_file("/f"), sha256("other"));
  EXPECT_EQ(table.bytes_hashed(), 8u);
}

TEST_F(StatTableTest, WaitsOutTheTickOfAYoungFile) {
  edit("abc");
  EXPECT_EQ(table.digest_file("/f"), sha256("abc"));
  EXPECT_EQ(waited_ns, kClockGrainNs);
  edit("xyz");  // the same size, as soon as it was hashed
  EXPECT_EQ(table.digest_file("/f"), sha256("xyz"));
}

TEST_F(StatTableTest, WhatStaysYoungIsNotKeptForTheNextProcess) {
  FakeFileSystem coarse(1'700'000'000 * kSecond);
  FakeClock coarse_clock(1'700'000'000 * kSecond);
  StatTable coarse_table(coarse, coarse_clock, [](std::int64_t) { FAIL() << "two seconds"; });
  coarse.put("/f", "x");
  EXPECT_EQ(coarse_table.digest_file("/f"), sha256("x"));
  EXPECT_FALSE(coarse_table.find("/f")->settled);
  EXPECT_EQ(coarse_table.serialize(), "");
}

TEST_F(StatTableTest, AFileFromTheFutureIsHashedRightWithoutWaitingAndNotKept) {
  files.put("/f", "one");
  pass(-3600 * kSecond);  // the clock was an hour ahead, and is set right
  EXPECT_EQ(table.digest_file("/f"), sha256("one"));
  EXPECT_FALSE(table.observe("/f").settled);
  EXPECT_EQ(waited_ns, 0);
  EXPECT_EQ(table.serialize(), "");
  edit("two");
  pass(kSecond);
  EXPECT_EQ(table.digest_file("/f"), sha256("two"));
  EXPECT_NE(table.serialize(), "");
}

TEST_F(StatTableTest, SurvivesSerialization) {
  files.put("/f", "one");
  files.put("/dir/g", "two");
  pass(kSecond);
  static_cast<void>(table.digest_file("/f"));
  static_cast<void>(table.digest_file("/dir/g"));
  StatTable again(files, clock);
  again.add_serialized(table.serialize());
  EXPECT_EQ(again.serialize(), table.serialize());
  EXPECT_EQ(again.digest_file("/f"), sha256("one"));
  EXPECT_EQ(again.bytes_hashed(), 0u);
}

TEST_F(StatTableTest, RefusesEveryTruncation) {
  files.put("/f", "one");
  pass(kSecond);
  static_cast<void>(table.digest_file("/f"));
  const std::string whole = table.serialize();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    StatTable again(files, clock);
    EXPECT_THROW(again.add_serialized(whole.substr(0, size)), Error) << size;
    EXPECT_FALSE(again.find("/f").has_value());
  }
}

TEST_F(StatTableTest, NamesAFileThatIsNotThere) {
  try {
    static_cast<void>(table.digest_file("/nobody"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_EQ(error.message(), "/nobody: no such file");
  }
}

TEST_F(StatTableTest, ForgetsFilesThatAreGone) {
  files.put("/f", "one");
  pass(kSecond);
  static_cast<void>(table.digest_file("/f"));
  files.remove("/f");
  table.forget_absent();
  EXPECT_FALSE(table.find("/f").has_value());
}

TEST_F(StatTableTest, NotedContentIsBelievedWhileTheStatStays) {
  files.put("/f", "one");
  pass(kSecond);
  table.note("/f", sha256("one"));
  EXPECT_TRUE(table.is_unchanged("/f", sha256("one")));
  EXPECT_FALSE(table.is_unchanged("/f", sha256("two")));
  edit("uno");
  EXPECT_FALSE(table.is_unchanged("/f", sha256("one")));
  EXPECT_EQ(table.bytes_hashed(), 0u);
}

TEST_F(StatTableTest, ObservingWaitsToo) {
  edit("abc");
  const Witness witness = table.observe("/f");
  EXPECT_TRUE(witness.settled);
  EXPECT_EQ(waited_ns, kClockGrainNs);
  EXPECT_FALSE(table.observe("/nobody").stat.has_value());
}

TEST(NsUntilSettled, CountsFromTheYoungerStamp) {
  FileStat stat;
  stat.mtime_ns = kNow - kSecond;
  stat.ctime_ns = kNow - 5;
  EXPECT_EQ(ns_until_settled(stat, kNow), kClockGrainNs - 5);
  EXPECT_EQ(ns_until_settled(stat, kNow + kSecond), 0);
  stat.mtime_ns = kNow + 3600 * kSecond;  // set by hand
  EXPECT_EQ(ns_until_settled(stat, kNow + kSecond), 0);
  stat.ctime_ns = kNow + 3600 * kSecond;  // another machine's clock
  EXPECT_EQ(ns_until_settled(stat, kNow), std::nullopt);
}

}  // namespace
}  // namespace qbuild::engine
