#include "base/atomic_file.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fake_file_system.h"
#include "base/temporary_name.h"
#include "tests/base/ended_process.h"

namespace qbuild {
namespace {

using Call = FakeFileSystem::Call;

TEST(AtomicFile, ShowsNothingUnderItsNameBeforeCommit) {
  FakeFileSystem disk;
  AtomicFile file(disk, "/d/a");
  file.file().append(as_bytes("text"));
  EXPECT_EQ(disk.stat("/d/a"), std::nullopt);
  EXPECT_EQ(file.temporary_path().parent_path(), "/d");
  EXPECT_EQ(file.temporary_path().extension(), ".tmp");
  file.commit();
  EXPECT_EQ(disk.contents("/d/a"), "text");
  EXPECT_EQ(disk.files().size(), 1U);
}

TEST(AtomicFile, VanishesWithoutCommit) {
  FakeFileSystem disk;
  disk.put("/d/a", "old");
  {
    AtomicFile file(disk, "/d/a");
    file.file().append(as_bytes("new"));
  }
  EXPECT_EQ(disk.files(), std::vector<std::string>{"/d/a"});
  EXPECT_EQ(disk.contents("/d/a"), "old");
}

TEST(AtomicFile, RemovesWhatAProcessThatDiedLeftInTheFolder) {
  FakeFileSystem disk;
  disk.put("/d/" + temporary_name(test::ended_process()), "half");
  publish_file(disk, "/d/a", as_bytes("new"));
  EXPECT_EQ(disk.files(), std::vector<std::string>{"/d/a"});
}

TEST(AtomicFile, FlushesBytesBeforeTheNameAndTheNameAtTheEnd) {
  FakeFileSystem disk;
  disk.put("/d/a", "old");
  AtomicFile file(disk, "/d/a");
  file.file().append(as_bytes("new"));
  file.commit();
  EXPECT_EQ(disk.count(Call::kFlush), 1U);
  EXPECT_EQ(disk.count(Call::kFlushDirectory), 1U);
  disk.crash();
  EXPECT_EQ(disk.contents("/d/a"), "new");
}

TEST(AtomicFile, CrashBeforeTheFolderIsFlushedLeavesTheOldFile) {
  FakeFileSystem disk;
  disk.put("/d/a", "old");
  {
    AtomicFile file(disk, "/d/a");
    file.file().append(as_bytes("new"));
    disk.fail(Call::kFlushDirectory, 1, EIO);
    EXPECT_THROW(file.commit(), Error);
  }
  disk.crash();
  EXPECT_EQ(disk.contents("/d/a"), "old");
}

TEST(AtomicFile, TwoWritersOfOneNameDoNotMeet) {
  FakeFileSystem disk;
  AtomicFile first(disk, "/a");
  AtomicFile second(disk, "/a");
  first.file().append(as_bytes("first"));
  second.file().append(as_bytes("second"));
  second.commit();
  first.commit();
  EXPECT_EQ(disk.contents("/a"), "first");
  EXPECT_EQ(disk.files().size(), 1U);
}

TEST(AtomicFile, DestructorOutlivesAFailingRemove) {
  FakeFileSystem disk;
  {
    AtomicFile file(disk, "/a");
    disk.fail(Call::kRemove, 1, EIO);
  }
  EXPECT_EQ(disk.files().size(), 1U);
}

TEST(AtomicFileDeathTest, IsCommittedOnce) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  FakeFileSystem disk;
  AtomicFile file(disk, "/a");
  file.commit();
  EXPECT_DEATH(file.commit(), "committed once");
}

}  // namespace
}  // namespace qbuild
