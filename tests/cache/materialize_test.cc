#include "cache/materialize.h"

#include <unistd.h>

#include "base/temporary_name.h"
#include "tests/base/ended_process.h"
#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::HasSubstr;

class MaterializeTest : public StoreTest {
 protected:
  [[nodiscard]] fs::path out() const { return folder_.path() / "out/model-Q4_K_M.gguf"; }
};

TEST_F(MaterializeTest, PutsTheContentUnderTheUsersName) {
  const Digest blob = put_blob("content");
  EXPECT_NE(store_.materialize(blob, 7, out()), Materialized::kAlreadyThere);
  EXPECT_EQ(read_text(out()), "content");
  EXPECT_EQ(files_->list(out().parent_path()), std::vector<std::string>{"model-Q4_K_M.gguf"});
}

TEST_F(MaterializeTest, LeavesWhatIsAlreadyThereAlone) {
  const Digest blob = put_blob("content");
  store_.materialize(blob, 7, out());
  const FileStat before = *files_->stat(out());
  EXPECT_EQ(store_.materialize(blob, 7, out()), Materialized::kAlreadyThere);
  EXPECT_EQ(*files_->stat(out()), before);
}

TEST_F(MaterializeTest, RecognizesACopyByItsDigest) {
  const Digest blob = put_blob("content");
  write_text(out(), "content");
  EXPECT_EQ(store_.materialize(blob, 7, out()), Materialized::kAlreadyThere);
}

TEST_F(MaterializeTest, ReplacesOtherContentOfTheSameSize) {
  const Digest blob = put_blob("content");
  write_text(out(), "CONTENT");
  EXPECT_NE(store_.materialize(blob, 7, out()), Materialized::kAlreadyThere);
  EXPECT_EQ(read_text(out()), "content");
}

TEST_F(MaterializeTest, ReplacingAResultLeavesThePreviousBlobWhole) {
  const Digest first = put_blob("content");
  const Digest second = put_blob("CONTENT");
  store_.materialize(first, 7, out());
  store_.materialize(second, 7, out());
  EXPECT_EQ(read_text(out()), "CONTENT");
  EXPECT_EQ(read_text(store_.blob_path(first)), "content");
}

TEST_F(MaterializeTest, RemovesWhatAKilledProcessLeftAndNothingElse) {
  const int gone = test::ended_process();
  const fs::path folder = out().parent_path();
  const std::string theirs = ".qbuild-0123456789ab-1-x.tmp";
  const std::string living = temporary_name(::getpid());
  for (const std::string& name : {temporary_name(gone), theirs, living, std::string("user.tmp")})
    write_text(folder / name, "half");
  const Digest blob = put_blob("content");
  store_.materialize(blob, 7, out());
  EXPECT_THAT(files_->list(folder),
              testing::UnorderedElementsAre(theirs, living, "user.tmp", "model-Q4_K_M.gguf"));
  // Also where the result is there already.
  write_text(folder / temporary_name(gone), "half");
  EXPECT_EQ(store_.materialize(blob, 7, out()), Materialized::kAlreadyThere);
  EXPECT_EQ(files_->list(folder).size(), 4u);
}

TEST_F(MaterializeTest, RefusesToReplaceAFolder) {
  const Digest blob = put_blob("content");
  fs::create_directories(out());
  const std::optional<Error> error = error_of([&] { store_.materialize(blob, 7, out()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error->message(), out().string() + " is a folder where a file must go; move it away");
}

TEST_F(MaterializeTest, SaysThatABlobIsMissing) {
  const std::optional<Error> error =
      error_of([&] { store_.materialize(sha256("none"), 4, out()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kNotFound);
  EXPECT_THAT(error->message(), HasSubstr("is not in the store; build again to make it"));
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(MaterializeTest, SetsATruncatedBlobAside) {
  const Digest blob = put_blob("content");
  vandalize(store_.blob_path(blob), "cont");
  const std::optional<Error> error = error_of([&] { store_.materialize(blob, 7, out()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error->message(), HasSubstr("has 4 bytes, 7 were stored"));
  EXPECT_FALSE(store_.has_blob(blob, 4));
  EXPECT_EQ(files_->list(store_.root() / "damaged").size(), 1u);
}

}  // namespace
}  // namespace qbuild::cache
