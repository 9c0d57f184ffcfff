#include "base/file_system.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/fake_file_system.h"
#include "tests/base/expect_error.h"

namespace qbuild {
namespace {

using Call = FakeFileSystem::Call;
using test::error_of;

TEST(FileSystem, ReadsAWholeFile) {
  FakeFileSystem disk;
  disk.put("/a", "hello");
  disk.put("/empty", "");
  EXPECT_EQ(read_file(disk, "/a", 5), "hello");
  EXPECT_EQ(read_file(disk, "/empty", 0), "");
}

TEST(FileSystem, ReadsAFileOfSeveralSteps) {
  FakeFileSystem disk;
  const std::string text(300'000, 'x');
  disk.put("/a", text);
  EXPECT_EQ(read_file(disk, "/a", 1'000'000), text);
}

TEST(FileSystem, RefusesAFileOverTheLimitWithoutReadingIt) {
  FakeFileSystem disk;
  disk.put("/a", "hello");
  const Error error = error_of([&] { static_cast<void>(read_file(disk, "/a", 4)); });
  EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  EXPECT_EQ(error.message(), "read /a: 5 bytes, more than the limit of 4");
  EXPECT_EQ(disk.count(Call::kRead), 0U);
}

TEST(FileSystem, ReadExactlySaysWhereAShortFileEnds) {
  FakeFileSystem disk;
  disk.put("/a", "hello");
  const auto file = disk.open("/a");
  std::array<std::byte, 4> buffer{};
  read_exactly(*file, 1, buffer);
  EXPECT_EQ(as_text(buffer), "ello");
  const Error error = error_of([&] { read_exactly(*file, 2, buffer); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error.message(), "the file ends at byte 5, 6 were expected");
}

TEST(FileSystem, PublishedFileSurvivesACrash) {
  FakeFileSystem disk;
  publish_file(disk, "/folder/deep/a", as_bytes("new"));
  disk.crash();
  EXPECT_EQ(disk.contents("/folder/deep/a"), "new");
}

TEST(FileSystem, PublishingThatFailsAnywhereLeavesTheOldFileAndNothingElse) {
  for (const Call call : {Call::kCreate, Call::kWrite, Call::kFlush, Call::kClose, Call::kRename}) {
    FakeFileSystem disk;
    disk.put("/a", "old");
    disk.fail(call, 1, ENOSPC);
    EXPECT_EQ(error_of([&] { publish_file(disk, "/a", as_bytes("new")); }).kind(),
              ErrorKind::kExhausted);
    EXPECT_EQ(disk.contents("/a"), "old");
    EXPECT_EQ(disk.files().size(), 1U);
  }
}

}  // namespace
}  // namespace qbuild
