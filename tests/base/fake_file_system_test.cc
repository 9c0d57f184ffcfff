#include "base/fake_file_system.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/base/file_system_contract.h"

namespace qbuild {
namespace {

class FakePlace {
 public:
  FakePlace() { disk_.create_directories("/root"); }
  FileSystem& disk() { return disk_; }
  [[nodiscard]] static fs::path root() { return "/root"; }

 private:
  FakeFileSystem disk_;
};

}  // namespace

namespace test {
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, FileSystemContract, FakePlace);
}  // namespace test

namespace {

TEST(FakeFileSystem, TakesRelativePathsAndDotsForWhatTheyMean) {
  FakeFileSystem disk;
  disk.put("d/x/../a", "text");
  EXPECT_EQ(disk.contents("/d/./a"), "text");
  EXPECT_EQ(disk.files(), std::vector<std::string>{"/d/a"});
}

TEST(FakeFileSystem, OpenFileOutlivesItsName) {
  FakeFileSystem disk;
  disk.put("/a", "text");
  const auto file = disk.open("/a");
  disk.remove("/a");
  std::array<std::byte, 4> buffer{};
  EXPECT_EQ(file->read_at(0, buffer), 4U);
}

TEST(FakeFileSystem, BlockedLockIsHandedOn) {
  FakeFileSystem disk;
  auto first = disk.lock("/lock", LockWait::kBlock);
  bool got = false;
  std::thread waiter([&] { got = disk.lock("/lock", LockWait::kBlock) != nullptr; });
  first.reset();
  waiter.join();
  EXPECT_TRUE(got);
}

}  // namespace
}  // namespace qbuild
