#include "cache/content.h"

#include "base/fake_file_system.h"
#include "tests/base/endless_files.h"
#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::HasSubstr;

TEST(ContentFile, HashesMoreThanOneBuffer) {
  const TemporaryFolder folder;
  const auto files = make_posix_file_system();
  const std::string bytes(3'000'001, 'q');
  write_text(folder.path() / "big", bytes);
  std::uint64_t seen = 0;
  const Content content =
      hash_file(*files, folder.path() / "big", [&](std::uint64_t n) { seen += n; });
  EXPECT_EQ(content, (Content{sha256(bytes), bytes.size()}));
  EXPECT_EQ(seen, bytes.size());
}

TEST(ContentFile, HashesAnEmptyFile) {
  const TemporaryFolder folder;
  const auto files = make_posix_file_system();
  write_text(folder.path() / "empty", "");
  EXPECT_EQ(hash_file(*files, folder.path() / "empty"), (Content{sha256(""), 0}));
}

TEST(ContentFile, OfAFileThatStaysAsItIsTheUnchangedContentIsThatOfTheFile) {
  FakeFileSystem disk;
  disk.put("/a", "content");
  EXPECT_EQ(hash_unchanged_file(disk, "/a"), (Content{sha256("content"), 7}));
}

TEST(ContentFile, OfAFileThatGrowsWithoutEndThereIsNoUnchangedContent) {
  FakeFileSystem disk;
  disk.put("/a", "content");
  EndlessFiles endless(disk);
  EXPECT_EQ(hash_unchanged_file(endless, "/a"), std::nullopt);
}

TEST(ContentFile, CopiesAndSaysWhatItCopied) {
  const TemporaryFolder folder;
  const auto files = make_posix_file_system();
  write_text(folder.path() / "a", "content");
  EXPECT_EQ(copy_file(*files, folder.path() / "a", folder.path() / "b", 7),
            (Content{sha256("content"), 7}));
  EXPECT_EQ(read_text(folder.path() / "b"), "content");
}

TEST(ContentFile, RefusesACopyThatTheDiskHasNoRoomFor) {
  const TemporaryFolder folder;
  const auto files = make_posix_file_system();
  write_text(folder.path() / "a", "content");
  constexpr std::uint64_t kTooMuch = std::uint64_t{1} << 60;
  const std::optional<Error> error =
      error_of([&] { copy_file(*files, folder.path() / "a", folder.path() / "b", kTooMuch); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kExhausted);
  EXPECT_THAT(error->message(), HasSubstr("it needs 1152921504606846976 bytes, "));
  EXPECT_THAT(error->message(), HasSubstr((folder.path() / "b").string()));
  EXPECT_FALSE(fs::exists(folder.path() / "b"));
}

TEST(ContentFile, ListsAFolderThatIsNotThereAsEmpty) {
  const TemporaryFolder folder;
  const auto files = make_posix_file_system();
  EXPECT_TRUE(list_if_there(*files, folder.path() / "none").empty());
  ensure_folder(*files, folder.path() / "a/b");
  EXPECT_EQ(list_if_there(*files, folder.path() / "a"), std::vector<std::string>{"b"});
}

}  // namespace
}  // namespace qbuild::cache
