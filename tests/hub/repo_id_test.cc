#include "hub/repo_id.h"

#include "tests/hub/support.h"

namespace qbuild::hub {
namespace {

using testing::HasSubstr;

TEST(RepoIdText, ReadsOwnerAndName) {
  EXPECT_EQ(parse_repo_id("acme/tiny-7b_Q4.gguf"),
            (RepoId{.owner = "acme", .name = "tiny-7b_Q4.gguf"}));
  EXPECT_EQ(parse_repo_id("a/" + std::string(96, 'b')).name.size(), 96u);
  EXPECT_EQ(parse_repo_id("_a/b_").text(), "_a/b_");
}

TEST(RepoIdText, RejectsWhatTheHubRejects) {
  for (const std::string& bad :
       {std::string(""), std::string("tiny"), std::string("/tiny"), std::string("acme/"),
        std::string("a/b/c"), std::string("-a/b"), std::string("a/b-"), std::string(".a/b"),
        std::string("a/b."), std::string("a/b--c"), std::string("a/b..c"), std::string("a/b.git"),
        std::string("a/b c"), std::string("a/\xC3\xBC"), std::string("../etc"),
        std::string("a/b\n"), "a/" + std::string(97, 'b'), std::string("a/b\0c", 5)}) {
    const std::optional<Error> error = error_of([&] { (void)parse_repo_id(bad); });
    ASSERT_TRUE(error) << bad;
    EXPECT_EQ(error->kind(), ErrorKind::kInvalidInput);
    EXPECT_EQ(error->message().find('\n'), std::string::npos);
  }
}

TEST(RepoIdText, SaysWhatIsWrong) {
  const auto message = [](const char* text) {
    return error_of([&] { (void)parse_repo_id(text); })->message();
  };
  EXPECT_EQ(message("tiny"), "repository \"tiny\": it has no owner; write owner/name");
  EXPECT_EQ(message("acme/a b"),
            "repository \"acme/a b\": the name may have only letters, digits, '-', '_' and '.'; "
            "write owner/name");
  EXPECT_EQ(message("acme/x.git"),
            "repository \"acme/x.git\": the name may not end in \".git\"; write owner/name");
  EXPECT_EQ(
      message("acme--/x"),
      "repository \"acme--/x\": the owner may not begin or end with '-' or '.'; write owner/name");
}

TEST(RepoPath, TakesWhatTheHubTakes) {
  for (const char* good : {"README.md", "a/b/c.gguf", ".gitattributes", ".gitignore", "with space",
                           "\xC3\xBC", "...", ".cache/other", "a.git"})
    EXPECT_FALSE(path_problem(good)) << good;
}

TEST(RepoPath, RejectsHostilePaths) {
  for (const std::string& bad :
       {std::string(""), std::string("/etc/passwd"), std::string("../x"), std::string("a/../x"),
        std::string("./x"), std::string("a//b"), std::string("a/"), std::string(".git"),
        std::string(".git/config"), std::string("a/.GIT/hooks"), std::string("a\\b"),
        std::string("a\nb"), std::string("a\x1B[31m"), std::string("a\x7F"), std::string("\xFF"),
        std::string("a\0b", 3), std::string(256, 'x'),
        std::string(".cache/huggingface/download/x")})
    EXPECT_TRUE(path_problem(bad)) << bad;
  std::string deep = "a";
  while (deep.size() <= 1024) deep += "/a";
  EXPECT_TRUE(path_problem(deep));
}

TEST(RepoPath, NamesPathAndRepositoryWithoutControlCharacters) {
  const RepoId repo{.owner = "acme", .name = "tiny"};
  EXPECT_EQ(error_of([&] { require_path(repo, "../x"); })->message(),
            "path \"../x\" in acme/tiny: it has a part \".\" or \"..\"");
  EXPECT_EQ(error_of([&] { require_path(repo, "a\nb"); })->message(),
            "path \"a\\x0ab\" in acme/tiny: it has a control character");
}

TEST(RepoBranch, TakesBranchesAndRejectsRevisionsThatMeanSomethingElse) {
  for (const char* good : {"main", "Q4_K_M", "feature/x", "v1.0"})
    EXPECT_FALSE(branch_problem(good)) << good;
  for (const char* bad : {"", "refs/pr/1", "a b", "a~1", "a^", "a:b", "a*", "../main", "a/.git",
                          "0123456789abcdef0123456789abcdef01234567"})
    EXPECT_TRUE(branch_problem(bad)) << bad;
}

TEST(RepoBranch, ACommitIdHasFortySmallHexDigits) {
  EXPECT_TRUE(is_commit_id("0123456789abcdef0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit_id("0123456789ABCDEF0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit_id("0123456789abcdef"));
}

}  // namespace
}  // namespace qbuild::hub
