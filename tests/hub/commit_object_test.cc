#include "hub/commit_object.h"

#include "tests/hub/support.h"

namespace qbuild::hub {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

CommitObject small() {
  CommitObject commit;
  commit.parent = "0123456789abcdef0123456789abcdef01234567";
  commit.message = "summary\n\nbody \xC3\xBC";
  commit.author = "acme-bot";
  commit.unix_seconds = 1'700'000'000;
  commit.tree = {regular_entry("README.md", "# hi\n"),
                 lfs_entry("model.gguf", sha256("weights"), 7)};
  return commit;
}

std::string body() {
  return serialize(small());
}

TEST(CommitFile, ReadsBackEveryField) {
  EXPECT_EQ(parse_commit(commit_id(body()), body()), small());
  EXPECT_THAT(body(), StartsWith("qbuild-commit 1\n{\"parent\":\"0123"));
  EXPECT_TRUE(is_commit_id(commit_id(body())));
}

TEST(CommitFile, IsWrittenAsItsDocumentShows) {
  CommitObject commit;
  commit.parent = "368903693880af6582b1a9a0b427784c99e85444";
  commit.message = "Q8_0";
  commit.author = "acme";
  commit.unix_seconds = 1'700'000'100;
  commit.tree = {regular_entry("README.md", "# Tiny\n"),
                 lfs_entry("tiny-Q8_0.gguf", sha256("weights"), 7)};
  const auto files = make_posix_file_system();
  const std::string document =
      qbuild::read_file(*files, fs::path(QBUILD_SOURCE_DIR) / "docs/hub.md", 1u << 20);
  EXPECT_THAT(document, HasSubstr("```\n" + serialize(commit) + "```\n"));
}

TEST(CommitFile, AnEmptyFirstCommitReadsBack) {
  const CommitObject empty;
  EXPECT_EQ(parse_commit(commit_id(serialize(empty)), serialize(empty)), empty);
}

TEST(CommitFile, AnotherFieldGivesAnotherId) {
  CommitObject other = small();
  other.message = "another";
  EXPECT_NE(commit_id(serialize(other)), commit_id(body()));
  other = small();
  other.tree[1].size_bytes = 8;
  EXPECT_NE(commit_id(serialize(other)), commit_id(body()));
}

TEST(CommitFile, EntriesAreNamedAsGitNamesThem) {
  // git hash-object of the five bytes, and of the pointer text.
  EXPECT_EQ(regular_entry("README.md", "# hi\n").git_sha1, git_blob_sha1(as_bytes("# hi\n")));
  EXPECT_EQ(regular_entry("empty", "").git_sha1, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(lfs_entry("model.gguf", sha256("weights"), 7).git_sha1,
            git_blob_sha1(as_bytes("version https://git-lfs.github.com/spec/v1\noid sha256:" +
                                   sha256("weights").hex() + "\nsize 7\n")));
}

TEST(CommitFile, RejectsEveryTruncationAndEveryFlippedByte) {
  const std::string id = commit_id(body());
  for (std::size_t at = 0; at < body().size(); ++at) {
    std::string flipped = body();
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    EXPECT_EQ(error_of([&] { (void)parse_commit(id, flipped); }).value().kind(),
              ErrorKind::kCorrupt);
    EXPECT_EQ(error_of([&] { (void)parse_commit(id, body().substr(0, at)); }).value().kind(),
              ErrorKind::kCorrupt);
  }
}

TEST(CommitFile, RejectsHostileContentUnderItsOwnName) {
  const auto replaced = [&](std::string_view what, std::string_view with) {
    std::string text = body();
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), with);
  };
  for (const std::string& bad :
       {std::string(""), std::string("qbuild-commit 2\n{}\n"),
        std::string("qbuild-commit 1\nnull\n"), std::string("qbuild-commit 1\n{}\n"),
        replaced("README.md", "../READ"), replaced("README.md", "zzz"),
        replaced("README.md", "model.gguf"), replaced("\"size\":5", "\"size\":-5"),
        replaced("\"lfs\"", "\"xet\""), replaced("\"parent\":\"0", "\"parent\":\"Z"),
        replaced("\"git_sha1\":\"", "\"git_sha1\":\"x"), replaced("\"time\":", "\"when\":"),
        replaced("\"size\":5", "\"size\":5,\"mode\":1")}) {
    const std::optional<Error> error = error_of([&] { (void)parse_commit(commit_id(bad), bad); });
    ASSERT_TRUE(error) << bad;
    EXPECT_EQ(error->kind(), ErrorKind::kCorrupt) << bad;
    EXPECT_THAT(error->message(), StartsWith("commit " + commit_id(bad) + ": "));
  }
}

TEST(CommitFile, SaysThatItsContentChanged) {
  EXPECT_THAT(error_of([&] { (void)parse_commit(std::string(40, 'a'), body()); })->message(),
              HasSubstr("its content does not hash to its name"));
}

}  // namespace
}  // namespace qbuild::hub
