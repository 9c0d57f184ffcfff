#include "cache/scratch.h"

#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

class ScratchTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path tmp() const { return folder_.path() / "tmp"; }

  TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
};

TEST_F(ScratchTest, IsGoneWithEverythingInItAfterwards) {
  fs::path path;
  {
    const Scratch scratch = make_scratch(*files_, tmp());
    path = scratch.path();
    EXPECT_TRUE(fs::is_directory(path));
    write_text(path / "deep/file", "x");
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(files_->list(tmp()), std::vector<std::string>{"guard"});
}

TEST_F(ScratchTest, TwoAreDifferentFolders) {
  const Scratch a = make_scratch(*files_, tmp());
  const Scratch b = make_scratch(*files_, tmp());
  EXPECT_NE(a.path(), b.path());
}

TEST_F(ScratchTest, StaysWhileItIsOwnedAfterAMoveToo) {
  Scratch first = make_scratch(*files_, tmp());
  const Scratch second = std::move(first);
  remove_abandoned_scratch(*files_, tmp());
  EXPECT_TRUE(fs::is_directory(second.path()));
}

TEST_F(ScratchTest, AbandonedOnesAreRemoved) {
  write_text(tmp() / "aaaa/file", "x");  // its owner died without a lock file left
  write_text(tmp() / "bbbb/file", "x");  // its owner died: the lock is free
  write_text(tmp() / "bbbb.lock", "");
  write_text(tmp() / "cccc.lock", "");  // its owner died before the folder was there
  const Scratch owned = make_scratch(*files_, tmp());
  remove_abandoned_scratch(*files_, tmp());
  const std::string name = owned.path().filename().string();
  EXPECT_THAT(files_->list(tmp()), testing::UnorderedElementsAre("guard", name, name + ".lock"));
}

TEST_F(ScratchTest, SweepingAFolderThatIsNotThereDoesNothing) {
  remove_abandoned_scratch(*files_, tmp());
  EXPECT_FALSE(fs::exists(tmp()));
}

}  // namespace
}  // namespace qbuild::cache
