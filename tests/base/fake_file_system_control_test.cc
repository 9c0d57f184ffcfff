#include <gtest/gtest.h>

#include <cerrno>

#include "base/error.h"
#include "base/fake_file_system.h"
#include "tests/base/expect_error.h"

namespace qbuild {
namespace {

using Call = FakeFileSystem::Call;
using test::error_of;

TEST(FakeFileSystemControl, CrashLosesBytesThatWereNotFlushed) {
  FakeFileSystem disk;
  disk.create_directories("/d");
  const auto file = disk.create("/d/a", CreateMode::kTruncate);
  file->append(as_bytes("flushed"));
  file->flush();
  file->append(as_bytes(" and not"));
  disk.flush_directory("/d");
  disk.crash();
  EXPECT_EQ(disk.contents("/d/a"), "flushed");
  EXPECT_EQ(disk.stat("/d/a")->size_bytes, 7U);
}

TEST(FakeFileSystemControl, CrashLosesNamesWhoseFolderWasNotFlushed) {
  FakeFileSystem disk;
  disk.put("/d/old", "1");
  disk.put("/d/removed", "2");
  const auto file = disk.create("/d/new", CreateMode::kTruncate);
  file->flush();
  disk.rename("/d/old", "/d/renamed");
  disk.remove("/d/removed");
  disk.crash();
  EXPECT_EQ(disk.files(), (std::vector<std::string>{"/d/old", "/d/removed"}));
}

TEST(FakeFileSystemControl, FlushOfAFolderKeepsItsRenamesAndRemovals) {
  FakeFileSystem disk;
  disk.put("/d/old", "1");
  disk.put("/d/removed", "2");
  disk.rename("/d/old", "/d/renamed");
  disk.remove("/d/removed");
  disk.flush_directory("/d");
  disk.crash();
  EXPECT_EQ(disk.files(), std::vector<std::string>{"/d/renamed"});
}

TEST(FakeFileSystemControl, WriterOfBeforeTheCrashWritesToNobodysFile) {
  FakeFileSystem disk;
  disk.put("/a", "old");
  const auto file = disk.create("/a", CreateMode::kAppend);
  disk.crash();
  file->append(as_bytes(" late"));
  EXPECT_EQ(disk.contents("/a"), "old");
}

TEST(FakeFileSystemControl, CrashFreesLocks) {
  FakeFileSystem disk;
  const auto held = disk.lock("/lock", LockWait::kBlock);
  disk.crash();
  EXPECT_NE(disk.lock("/lock", LockWait::kTry), nullptr);
}

TEST(FakeFileSystemControl, FailsTheNthCallOnceAndChangesNothing) {
  FakeFileSystem disk;
  disk.put("/a", "");
  const auto file = disk.create("/a", CreateMode::kAppend);
  disk.fail(Call::kWrite, 2, EIO);
  file->append(as_bytes("1"));
  const Error error = error_of([&] { file->append(as_bytes("2")); });
  EXPECT_EQ(error.kind(), ErrorKind::kTransient);
  EXPECT_EQ(error.message(), "write /a: input/output error");
  file->append(as_bytes("3"));
  EXPECT_EQ(disk.contents("/a"), "13");
  EXPECT_EQ(disk.count(Call::kWrite), 3U);
}

TEST(FakeFileSystemControl, FullDiskIsNoSpace) {
  FakeFileSystem disk;
  disk.set_free_bytes(3);
  const auto file = disk.create("/a", CreateMode::kTruncate);
  file->append(as_bytes("ab"));
  EXPECT_EQ(disk.free_bytes("/"), 1U);
  EXPECT_EQ(error_of([&] { file->append(as_bytes("cd")); }).message(),
            "write /a: no space left on the disk");
}

TEST(FakeFileSystemControl, StampsTimesByItsOwnClock) {
  FakeFileSystem disk(100);
  const auto file = disk.create("/a", CreateMode::kTruncate);
  disk.advance_ns(5);
  EXPECT_EQ(disk.stat("/a")->mtime_ns, 100);
  file->append(as_bytes("x"));
  EXPECT_EQ(disk.stat("/a")->mtime_ns, 105);
  disk.advance_ns(5);
  disk.set_mode("/a", 0444);
  EXPECT_EQ(disk.stat("/a")->mtime_ns, 105);
  EXPECT_EQ(disk.stat("/a")->ctime_ns, 110);
}

TEST(FakeFileSystemControl, CanBeADiskWithoutReflinksAndHardLinks) {
  FakeFileSystem disk;
  disk.put("/a", "x");
  disk.set_can_clone(false);
  disk.set_can_hard_link(false);
  EXPECT_FALSE(disk.clone("/a", "/b"));
  EXPECT_FALSE(disk.hard_link("/a", "/b"));
  EXPECT_EQ(disk.files().size(), 1U);
}

}  // namespace
}  // namespace qbuild
