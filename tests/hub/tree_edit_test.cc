#include "hub/tree_edit.h"

#include "hub/commit_object.h"
#include "tests/hub/support.h"

namespace qbuild::hub {
namespace {

using testing::ElementsAre;

const RepoId kRepo{.owner = "acme", .name = "tiny"};

std::vector<TreeEntry> tree_of(const std::vector<std::string>& paths) {
  std::vector<TreeEntry> tree;
  for (const std::string& path : paths) tree.push_back(regular_entry(path, path));
  return tree;
}

std::string refusal(const std::vector<std::string>& paths, const TreeEdit& edit, ErrorKind kind) {
  const std::optional<Error> error =
      error_of([&] { (void)apply_edit(kRepo, tree_of(paths), edit); });
  if (!error) return "no error";
  EXPECT_EQ(error->kind(), kind);
  return error->message();
}

TEST(TreeEditing, AddsReplacesAndDeletes) {
  const auto tree = apply_edit(kRepo, tree_of({"a", "b", "old/x", "old/y/z", "older"}),
                               {.put = {regular_entry("b", "new"), regular_entry("A0/new", "n")},
                                .deleted_files = {"a"},
                                .deleted_folders = {"old/"}});
  EXPECT_THAT(paths_of(tree), ElementsAre("A0/new", "b", "older"));
  EXPECT_EQ(tree[1], regular_entry("b", "new"));
}

TEST(TreeEditing, NothingToDoGivesTheSameTree) {
  EXPECT_EQ(apply_edit(kRepo, tree_of({"a", "b"}), {}), tree_of({"a", "b"}));
}

TEST(TreeEditing, ReplacesAFolderInOneCommit) {
  const auto tree = apply_edit(
      kRepo, tree_of({"v/a", "v/b"}),
      {.put = {regular_entry("v/c", "c")}, .deleted_files = {}, .deleted_folders = {"v"}});
  EXPECT_THAT(paths_of(tree), ElementsAre("v/c"));
}

TEST(TreeEditing, AFolderMayBecomeAFile) {
  const auto tree = apply_edit(
      kRepo, tree_of({"v/a"}),
      {.put = {regular_entry("v", "c")}, .deleted_files = {"v/a"}, .deleted_folders = {}});
  EXPECT_THAT(paths_of(tree), ElementsAre("v"));
}

TEST(TreeEditing, RefusesToDeleteWhatIsNotThere) {
  EXPECT_EQ(refusal({"a"}, {.put = {}, .deleted_files = {"b"}, .deleted_folders = {}},
                    ErrorKind::kNotFound),
            "path \"b\" in acme/tiny: there is no such file to delete");
  EXPECT_EQ(refusal({"ab/x"}, {.put = {}, .deleted_files = {}, .deleted_folders = {"a/"}},
                    ErrorKind::kNotFound),
            "path \"a\" in acme/tiny: there is no such folder to delete");
}

TEST(TreeEditing, RefusesTwoOperationsOnOnePath) {
  EXPECT_EQ(
      refusal({"a"},
              {.put = {regular_entry("a", "x")}, .deleted_files = {"a"}, .deleted_folders = {}},
              ErrorKind::kInvalidInput),
      "path \"a\" in acme/tiny: two operations of one commit name it");
}

TEST(TreeEditing, RefusesHostilePathsInEveryOperation) {
  for (const char* bad : {"../x", "/x", ".git/config", "a\nb", ""}) {
    EXPECT_NE(
        refusal({}, {.put = {regular_entry(bad, "x")}, .deleted_files = {}, .deleted_folders = {}},
                ErrorKind::kInvalidInput),
        "no error");
    EXPECT_NE(refusal({}, {.put = {}, .deleted_files = {bad}, .deleted_folders = {}},
                      ErrorKind::kInvalidInput),
              "no error");
    EXPECT_NE(refusal({}, {.put = {}, .deleted_files = {}, .deleted_folders = {bad}},
                      ErrorKind::kInvalidInput),
              "no error");
  }
}

TEST(TreeEditing, RefusesAFileWhereAFolderIs) {
  EXPECT_EQ(refusal({"v/a"},
                    {.put = {regular_entry("v", "x")}, .deleted_files = {}, .deleted_folders = {}},
                    ErrorKind::kInvalidInput),
            "path \"v\" in acme/tiny: \"v\" would be a file and a folder");
  EXPECT_EQ(
      refusal({"v"},
              {.put = {regular_entry("v/a", "x")}, .deleted_files = {}, .deleted_folders = {}},
              ErrorKind::kInvalidInput),
      "path \"v/a\" in acme/tiny: \"v\" would be a file and a folder");
}

TEST(TreeEditing, RefusesNamesThatDifferOnlyInCase) {
  EXPECT_EQ(
      refusal(
          {"readme.md"},
          {.put = {regular_entry("README.md", "x")}, .deleted_files = {}, .deleted_folders = {}},
          ErrorKind::kInvalidInput),
      "path \"README.md\" in acme/tiny: \"README.md\" differs from \"readme.md\" only in case");
  EXPECT_EQ(
      refusal({"q4/a"},
              {.put = {regular_entry("Q4/b", "x")}, .deleted_files = {}, .deleted_folders = {}},
              ErrorKind::kInvalidInput),
      "path \"Q4/b\" in acme/tiny: \"Q4\" differs from \"q4\" only in case");
}

TEST(TreeEditing, LeavesOldCollisionsAlone) {
  const auto tree =
      apply_edit(kRepo, tree_of({"A", "a"}),
                 {.put = {regular_entry("b", "x")}, .deleted_files = {}, .deleted_folders = {}});
  EXPECT_THAT(paths_of(tree), ElementsAre("A", "a", "b"));
}

TEST(TreeEditing, RenamingOnlyTheCaseIsPossible) {
  const auto tree =
      apply_edit(kRepo, tree_of({"a"}),
                 {.put = {regular_entry("A", "x")}, .deleted_files = {"a"}, .deleted_folders = {}});
  EXPECT_THAT(paths_of(tree), ElementsAre("A"));
}

}  // namespace
}  // namespace qbuild::hub
