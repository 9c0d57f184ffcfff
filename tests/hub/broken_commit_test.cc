// Commits that are wrong, under the name that fits them, and what is said of each.

#include <gtest/gtest.h>

#include <ostream>

#include "base/json.h"
#include "hub/commit_object.h"
#include "hub/git_attributes.h"
#include "tests/base/bounded.h"
#include "tests/base/expect_error.h"

namespace qbuild::hub {
namespace {

using test::error_of;

std::string whole() {
  CommitObject commit;
  commit.message = "m";
  commit.author = "a";
  commit.unix_seconds = 1;
  commit.tree = {regular_entry("README.md", "hi"), regular_entry("z", "")};
  return serialize(commit);
}
std::string with(std::string_view piece, std::string_view other) {
  std::string text = whole();
  const std::size_t at = text.find(piece);
  if (at == std::string::npos) throw std::logic_error("no such piece: " + std::string(piece));
  return text.replace(at, piece.size(), other);
}
std::string with_path(const std::string& path) {
  return with("\"README.md\"", Json(path).dump());
}

// The message, without the name.
std::string refusal(const std::string& bytes) {
  const std::string id = commit_id(bytes);
  const Error error = error_of([&] { static_cast<void>(parse_commit(id, bytes)); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  const std::string start = "commit " + id + ": ";
  EXPECT_EQ(error.message().substr(0, start.size()), start);
  return error.message().substr(start.size());
}

struct BrokenCommit {
  std::string name;
  std::string bytes;
  std::string message;
};

void PrintTo(const BrokenCommit& commit, std::ostream* out) {
  *out << commit.name;
}

class CommitThatIsBroken : public testing::TestWithParam<BrokenCommit> {};

TEST_P(CommitThatIsBroken, IsRefused) {
  EXPECT_EQ(refusal(GetParam().bytes), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Frame, CommitThatIsBroken,
    testing::Values(BrokenCommit{"Empty", "", "it does not begin with \"qbuild-commit 1\""},
                    BrokenCommit{"OfVersion2", "qbuild-commit 2\n{}\n",
                                 "it does not begin with \"qbuild-commit 1\""},
                    BrokenCommit{
                        "OfNoJson", "qbuild-commit 1\n{\n",
                        "2:1: invalid JSON: unexpected end of input; expected string literal"},
                    BrokenCommit{"Of10000Levels", "qbuild-commit 1\n" + std::string(10'000, '['),
                                 "1:129: nested deeper than 128 levels"},
                    BrokenCommit{"WithAMemberMore", with("\"message\"", "\"more\":1,\"message\""),
                                 "it has a member too many or too few"},
                    BrokenCommit{"OfAParentThatIsAPath",
                                 with("\"parent\":\"\"", "\"parent\":\"../../../etc/passwd\""),
                                 "its parent is no commit id"},
                    BrokenCommit{"OfATimeOf1e300", with("\"time\":1", "\"time\":1e300"),
                                 "time: expected an integer, found 1e+300"},
                    BrokenCommit{"WithASpaceThatNoHubWrites", with("\"time\":1", "\"time\": 1"),
                                 "it is not written as a hub writes it"},
                    BrokenCommit{"WithATextAfterItsEnd", whole() + "\n",
                                 "it is not written as a hub writes it"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Files, CommitThatIsBroken,
    testing::Values(
        BrokenCommit{"PathThatLeaves", with_path("../x"),
                     "\"../x\" is a path that no repository has: it has a part \".\" or \"..\""},
        BrokenCommit{"AbsolutePath", with_path("/etc/passwd"),
                     "\"/etc/passwd\" is a path that no repository has: it is not relative"},
        BrokenCommit{"PathOfTwoLines", with_path("a\nb"),
                     "\"a\\x0ab\" is a path that no repository has: it has a control character"},
        BrokenCommit{"PathIntoGit", with_path("a/.GIT/config"),
                     "\"a/.GIT/config\" is a path that no repository has: it has a part \".git\""},
        BrokenCommit{"PathOf300Bytes", with_path(std::string(300, 'n')),
                     "\"" + std::string(160, 'n') +
                         "... (300 bytes)\" is a path that no repository has: it has a part of "
                         "more than 255 bytes"},
        BrokenCommit{"PathTwice", with_path("z"), "its files are not in order"},
        BrokenCommit{"FileThatIsAFolder", with("\"z\"", "\"README.md/z\""),
                     "\"README.md\" is a file and the folder of another"},
        BrokenCommit{"SizeBelow0", with("\"size\":2", "\"size\":-2"),
                     "the size of \"README.md\": expected a number that is not negative, found -2"},
        BrokenCommit{
            "SizeOf2To64", with("\"size\":2", "\"size\":18446744073709551616"),
            "the size of \"README.md\": expected an integer, found 1.8446744073709552e+19"},
        BrokenCommit{"DigestOfNothing", with("\"git_sha1\":\"", "\"git_sha1\":\"x"),
                     "the digests of \"README.md\" are none"},
        BrokenCommit{"UnknownStorage", with("\"regular\"", "\"tape\""),
                     "\"README.md\" has an unknown storage"}),
    [](const auto& row) { return row.param.name; });

TEST(BigCommit, OfManyFilesIsAnsweredInTime) {
  const std::string entry = R"(,"size":1,"git_sha1":")" + std::string(40, 'a') + R"(","sha256":")" +
                            std::string(64, 'a') + R"(","storage":"regular"})";
  const auto commit_of = [&](int files) {
    std::string tree;
    for (int i = 0; i < files; ++i)
      tree += (i == 0 ? R"({"path":"folder/)" : R"(,{"path":"folder/)") +
              std::to_string(1'000'000 + i) + "\"" + entry;
    return "qbuild-commit 1\n" + std::string(R"({"parent":"","message":"","author":"","time":1,)") +
           "\"tree\":[" + tree + "]}\n";
  };
  const auto answer = [](const std::string& bytes) {
    const std::string id = commit_id(bytes);
    const test::Cost cost = test::bounded([&]() -> std::string {
      try {
        return std::to_string(parse_commit(id, bytes).tree.size()) + " files";
      } catch (const Error& error) {
        return error.message().substr(7 + 40 + 2);
      }
    });
    EXPECT_EQ(cost.failure, "");
    EXPECT_LT(cost.cpu_seconds, 2.0);
    EXPECT_LT(cost.grown_mib, 200);
    return cost.said;
  };
  EXPECT_EQ(answer(commit_of(100'000)), "100000 files");
  EXPECT_EQ(answer(commit_of(100'001)),
            "it has 100001 files, more than the 100000 that one may have");
  EXPECT_EQ(answer(commit_of(600'000)), "111000073 bytes are more than a commit can have");
}

TEST(BigGitAttributes, ThatMatchSlowlyAreAnsweredInTime) {
  // Each line tries every way to divide a path among its stars.
  std::string text;
  while (text.size() < kMaxAttributesBytes - 100) text += "*a*a*a*a*a*a*a*a*b filter=lfs\n";
  const std::string path(255, 'a');
  const test::Cost cost = test::bounded(
      [&]() -> std::string { return GitAttributes(text).is_lfs(path) ? "lfs" : "regular"; });
  EXPECT_EQ(cost.failure, "");
  EXPECT_EQ(cost.said, "regular");
  EXPECT_LT(cost.cpu_seconds, 2.0);
  EXPECT_LT(cost.grown_mib, 200);
}

TEST(BigGitAttributes, PassOverLinesThatGitPassesOver) {
  EXPECT_TRUE(GitAttributes("*.bin " + std::string(2000, ' ') + "filter=lfs\n").is_lfs("a.bin"));
  EXPECT_FALSE(GitAttributes("*.bin " + std::string(2100, ' ') + "filter=lfs\n").is_lfs("a.bin"));
}

}  // namespace
}  // namespace qbuild::hub
