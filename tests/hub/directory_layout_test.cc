#include "hub/directory_layout.h"

#include "tests/hub/support.h"

namespace qbuild::hub {
namespace {

TEST(HubLayout, KeepsEveryRepositoryBelowTheRoot) {
  const DirectoryLayout layout("/hub");
  const RepoLayout repo = layout.repo({.owner = "Acme", .name = "Tiny-7B"});
  EXPECT_EQ(repo.settings(), "/hub/repos/acme/tiny-7b/settings.json");
  EXPECT_EQ(repo.ref("main"), "/hub/repos/acme/tiny-7b/refs/heads/main");
  EXPECT_EQ(repo.commit("abcd"), "/hub/repos/acme/tiny-7b/commits/ab/abcd");
  EXPECT_EQ(repo.working_state("main"), "/hub/repos/acme/tiny-7b/files/main.json");
  EXPECT_EQ(layout.blob(sha256("x")), "/hub/blobs/2d/" + sha256("x").hex());
}

TEST(HubLayout, RefusesAnIdThatWouldLeaveTheRoot) {
  const DirectoryLayout layout("/hub");
  for (const RepoId& bad :
       {RepoId{.owner = "..", .name = "x"}, RepoId{.owner = "a", .name = "../../etc"},
        RepoId{.owner = "a/b", .name = "c"}, RepoId{.owner = "", .name = ""}})
    EXPECT_EQ(error_of([&] { (void)layout.repo(bad); }).value().kind(), ErrorKind::kInvalidInput);
}

TEST(HubLayout, PeopleFindMainUnderTheNameAsItIsSpelled) {
  const DirectoryLayout layout("/hub");
  const RepoId repo{.owner = "Acme", .name = "Tiny"};
  EXPECT_EQ(layout.working_folder(repo, "main"), "/hub/files/Acme/Tiny");
  EXPECT_EQ(layout.working_folder(repo, "x/y"), "/hub/files/Acme/Tiny@x%2Fy");
}

TEST(HubLayout, ABranchIsOneFileName) {
  EXPECT_EQ(branch_file_name("Q4_K_M-v1.0"), "Q4_K_M-v1.0");
  EXPECT_EQ(branch_file_name("a/b%\xC3"), "a%2Fb%25%C3");
  EXPECT_EQ(branch_file_name("../../etc/passwd\n"), "..%2F..%2Fetc%2Fpasswd%0A");
  EXPECT_EQ(branch_file_name(".."), "%2E%2E") << "it would be the folder above";
  EXPECT_EQ(branch_file_name("."), "%2E");
  EXPECT_EQ(branch_file_name(".x"), ".x");
}

}  // namespace
}  // namespace qbuild::hub
