#include "hub/blobs.h"

#include <cerrno>
#include <stop_token>

#include "tests/hub/support.h"

namespace qbuild::hub {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Call = FakeFileSystem::Call;

class BlobsTest : public testing::Test {
 protected:
  BlobsTest() { disk_.put("/store/source", "content"); }

  FakeFileSystem disk_;
  DirectoryLayout layout_{"/hub"};
  Blobs blobs_{disk_, layout_};
};

TEST_F(BlobsTest, KeepsAFileReadOnlyAndLeavesTheSource) {
  EXPECT_FALSE(blobs_.has(need_of("content")));
  blobs_.put_file(need_of("content"), "/store/source");
  EXPECT_TRUE(blobs_.has(need_of("content")));
  EXPECT_EQ(disk_.contents("/store/source"), "content");
  EXPECT_EQ(disk_.stat(layout_.blob(sha256("content")))->mode, 0444u);
  EXPECT_EQ(blobs_.read(need_of("content"), 100), "content");
  EXPECT_THAT(disk_.list("/hub/tmp"), IsEmpty());
}

TEST_F(BlobsTest, NeverSharesAnInodeWithTheSource) {
  disk_.set_can_clone(false);
  blobs_.put_file(need_of("content"), "/store/source");
  EXPECT_NE(disk_.stat(layout_.blob(sha256("content")))->inode, disk_.stat("/store/source")->inode);
  EXPECT_EQ(disk_.count(Call::kHardLink), 0u);
}

TEST_F(BlobsTest, DoesNothingForABlobThatIsThere) {
  blobs_.put_file(need_of("content"), "/store/source");
  const std::uint64_t reads = disk_.count(Call::kRead);
  blobs_.put_file(need_of("content"), "/store/source");
  blobs_.put_bytes("content");
  EXPECT_EQ(disk_.count(Call::kRead), reads);
}

TEST_F(BlobsTest, RefusesContentThatIsNotWhatWasAnnounced) {
  for (const bool can_clone : {true, false}) {
    disk_.set_can_clone(can_clone);
    for (const BlobNeed& wanted :
         {need_of("CONTENT"), BlobNeed{.sha256 = sha256("content"), .size_bytes = 8}}) {
      const std::optional<Error> error =
          error_of([&] { blobs_.put_file(wanted, "/store/source"); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
      EXPECT_THAT(error->message(),
                  HasSubstr("/store/source has 7 bytes with digest " + sha256("content").hex()));
      EXPECT_FALSE(disk_.stat(layout_.blob(wanted.sha256)));
      EXPECT_THAT(disk_.list("/hub/tmp"), IsEmpty());
    }
  }
}

TEST_F(BlobsTest, SaysHowMuchRoomACopyNeeds) {
  disk_.set_can_clone(false);
  disk_.set_free_bytes(3);
  const std::optional<Error> error =
      error_of([&] { blobs_.put_file(need_of("content"), "/store/source"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kExhausted);
  EXPECT_THAT(error->message(), HasSubstr("copy /store/source to /hub/tmp/"));
  EXPECT_THAT(error->message(), HasSubstr("it needs 7 bytes, 3 are free"));
}

TEST_F(BlobsTest, AFullDiskLeavesNothingBehind) {
  disk_.set_can_clone(false);
  disk_.fail(Call::kWrite, 1, ENOSPC);
  const std::optional<Error> error =
      error_of([&] { blobs_.put_file(need_of("content"), "/store/source"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kExhausted);
  EXPECT_THAT(error->message(), HasSubstr("(7 bytes): write /hub/tmp/"));
  EXPECT_THAT(disk_.files(), testing::ElementsAre("/store/source"));
}

TEST_F(BlobsTest, NoticesABlobThatChanged) {
  blobs_.put_bytes("content");
  disk_.put(layout_.blob(sha256("content")), "CONTENT");
  EXPECT_EQ(error_of([&] { (void)blobs_.read(need_of("content"), 100); }).value().kind(),
            ErrorKind::kCorrupt);
}

TEST_F(BlobsTest, RefusesToReadMoreThanAsked) {
  blobs_.put_bytes("content");
  EXPECT_EQ(error_of([&] { (void)blobs_.read(need_of("content"), 6); }).value().kind(),
            ErrorKind::kExhausted);
}

TEST_F(BlobsTest, PlacesByCloneLinkOrCopy) {
  const std::string weights(kMinLinkedBytes, 'w');
  blobs_.put_bytes(weights);
  disk_.create_directories("/out");
  blobs_.place(need_of(weights), "/out/clone");
  disk_.set_can_clone(false);
  blobs_.place(need_of(weights), "/out/link");
  disk_.set_can_hard_link(false);
  blobs_.place(need_of(weights), "/out/copy");
  for (const char* name : {"/out/clone", "/out/link", "/out/copy"})
    EXPECT_TRUE(disk_.contents(name) == weights) << name;
  EXPECT_EQ(disk_.stat("/out/link")->inode, disk_.stat(layout_.blob(sha256(weights)))->inode);
  EXPECT_NE(disk_.stat("/out/copy")->inode, disk_.stat(layout_.blob(sha256(weights)))->inode);
}

// What people edit must not be a second name of what all repositories share.
TEST_F(BlobsTest, ASmallFileIsNeverASecondNameOfItsBlob) {
  disk_.set_can_clone(false);
  blobs_.put_bytes("content");
  disk_.create_directories("/out");
  blobs_.place(need_of("content"), "/out/README.md");
  EXPECT_NE(disk_.stat("/out/README.md")->inode,
            disk_.stat(layout_.blob(sha256("content")))->inode);
  disk_.create("/out/README.md", CreateMode::kTruncate)->append(as_bytes("CONTENT"));
  EXPECT_EQ(blobs_.read(need_of("content"), 100), "content");
}

TEST_F(BlobsTest, AStoppedUploadLeavesNothing) {
  for (const bool can_clone : {true, false}) {
    disk_.set_can_clone(can_clone);
    std::stop_source stopper;
    stopper.request_stop();
    const std::optional<Error> error = error_of(
        [&] { blobs_.put_file(need_of("content"), "/store/source", stopper.get_token()); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kCancelled);
    EXPECT_THAT(error->message(), HasSubstr("stopped before everything was uploaded"));
    EXPECT_THAT(disk_.files(), testing::ElementsAre("/store/source"));
  }
}

TEST_F(BlobsTest, SweepsUploadsThatNobodyTouchedForAWeek) {
  constexpr std::int64_t kDayNs = std::int64_t{24} * 3600 * 1'000'000'000;
  constexpr std::int64_t kStartNs = 1'700'000'000'000'000'000;
  disk_.put("/hub/tmp/old", "x");
  disk_.advance_ns(6 * kDayNs);
  disk_.put("/hub/tmp/young", "x");
  remove_abandoned_uploads(disk_, layout_, kStartNs + 6 * kDayNs);
  EXPECT_THAT(disk_.list("/hub/tmp"), testing::ElementsAre("old", "young"));
  remove_abandoned_uploads(disk_, layout_, kStartNs + 8 * kDayNs);
  EXPECT_THAT(disk_.list("/hub/tmp"), testing::ElementsAre("young"));
}

}  // namespace
}  // namespace qbuild::hub
