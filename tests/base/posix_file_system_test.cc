#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file_system.h"
#include "tests/base/file_system_contract.h"
#include "tests/base/temporary_folder.h"

namespace qbuild {
namespace {

class PosixPlace {
 public:
  FileSystem& disk() { return *disk_; }
  [[nodiscard]] fs::path root() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
  std::unique_ptr<FileSystem> disk_ = make_posix_file_system();
};

}  // namespace

namespace test {
INSTANTIATE_TYPED_TEST_SUITE_P(Posix, FileSystemContract, PosixPlace);
}  // namespace test

namespace {

TEST(PosixFileSystem, OpenDoesNotWaitForTheWriterOfANamedPipe) {
  PosixPlace place;
  const fs::path pipe = place.root() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Error error = test::error_of([&] { static_cast<void>(place.disk().open(pipe)); });
  EXPECT_EQ(error.message(), "open " + pipe.string() + ": not a regular file");
}

TEST(PosixFileSystem, RemoveTreeLeavesWhatALinkPointsTo) {
  PosixPlace place;
  place.disk().create_directories(place.root() / "kept");
  publish_file(place.disk(), place.root() / "kept/a", as_bytes("text"));
  place.disk().create_directories(place.root() / "gone");
  fs::create_directory_symlink(place.root() / "kept", place.root() / "gone/link");
  place.disk().remove_tree(place.root() / "gone");
  EXPECT_NE(place.disk().stat(place.root() / "kept/a"), std::nullopt);
}

TEST(PosixFileSystem, StatFollowsLinks) {
  PosixPlace place;
  publish_file(place.disk(), place.root() / "a", as_bytes("text"));
  fs::create_symlink(place.root() / "a", place.root() / "link");
  EXPECT_EQ(place.disk().stat(place.root() / "link"), place.disk().stat(place.root() / "a"));
}

TEST(PosixFileSystem, ReadsKernelFilesWhoseSizeIsZero) {
  PosixPlace place;
  EXPECT_NE(read_file(place.disk(), "/proc/self/status", 1 << 20).find("VmRSS"), std::string::npos);
}

TEST(PosixFileSystem, LockOfAProcessThatDiedIsFree) {
  PosixPlace place;
  const fs::path path = place.root() / "lock";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto held = place.disk().lock(path, LockWait::kTry);
    ::_exit(held ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_NE(place.disk().lock(path, LockWait::kTry), nullptr);
}

TEST(PosixFileSystem, SaysPermissionDenied) {
  if (::geteuid() == 0)
    GTEST_SKIP() << "root may read everything; run as another user to test this";
  PosixPlace place;
  publish_file(place.disk(), place.root() / "a", as_bytes("text"));
  place.disk().set_mode(place.root() / "a", 0);
  const Error error =
      test::error_of([&] { static_cast<void>(place.disk().open(place.root() / "a")); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_EQ(error.message(), "open " + (place.root() / "a").string() + ": permission denied");
}

TEST(PosixFileSystem, SaysNoSpaceOnAFullDevice) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "this system has no /dev/full";
  PosixPlace place;
  const auto file = place.disk().create("/dev/full", CreateMode::kAppend);
  const Error error = test::error_of([&] { file->append(as_bytes("x")); });
  EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  EXPECT_EQ(error.message(), "write /dev/full: no space left on the disk");
}

}  // namespace
}  // namespace qbuild
