// The real tree, held to every rule of this folder.

#include "tests/tidy/source_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tidy/build_files.h"
#include "tests/tidy/floor_plan.h"
#include "tests/tidy/source_rules.h"

namespace qbuild::tidy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Sources without a test file of their own. Each is short, and its reason says what tests it
// instead.
const Exemptions& exemptions() {
  static const Exemptions kExemptions{};
  return kExemptions;
}

class TheTree : public testing::Test {
 protected:
  const SourceTree tree_ = load_source_tree(QBUILD_SOURCE_DIR);
};

TEST_F(TheTree, IsReadWhole) {
  EXPECT_TRUE(tree_.contains("dev"));
  EXPECT_TRUE(tree_.contains("CMakeLists.txt"));
  EXPECT_TRUE(tree_.contains("base/error.h"));
  EXPECT_TRUE(tree_.contains("tests/tidy/source_tree_test.cc"));
  EXPECT_GT(tree_.size(), 60U);
}

TEST_F(TheTree, HasOnlyArrowsOfTheDrawing) {
  EXPECT_THAT(find_wrong_includes(tree_), IsEmpty());
}

TEST_F(TheTree, LinksOnlyRoomsOfTheDrawing) {
  EXPECT_THAT(find_wrong_uses(tree_), IsEmpty());
}

TEST_F(TheTree, HasNoFileThatIsNotBuilt) {
  EXPECT_THAT(find_unbuilt_files(tree_), IsEmpty());
}

TEST_F(TheTree, HasATestForEverySource) {
  EXPECT_THAT(find_untested_sources(tree_, exemptions()), IsEmpty());
}

TEST_F(TheTree, HasNoFileOverTheLineLimit) {
  EXPECT_THAT(find_long_files(tree_), IsEmpty());
}

TEST_F(TheTree, HasNoReminderWithoutAnIssue) {
  EXPECT_THAT(find_naked_reminders(tree_), IsEmpty());
}

TEST_F(TheTree, HasNoPathIntoAHome) {
  EXPECT_THAT(find_home_paths(tree_), IsEmpty());
}

TEST_F(TheTree, ChoosesVariantsByFilesNotByConditions) {
  EXPECT_THAT(find_conditional_compilation(tree_), IsEmpty());
}

TEST_F(TheTree, GuardsEveryHeader) {
  EXPECT_THAT(find_unguarded_headers(tree_), IsEmpty());
}

TEST(SourceTree, SplitsTextIntoLines) {
  EXPECT_THAT(lines_of("a\n\nb"), ElementsAre("a", "", "b"));
  EXPECT_THAT(lines_of("a\n"), ElementsAre("a"));
  EXPECT_THAT(lines_of(""), IsEmpty());
}

TEST(SourceTree, TakesPathsApart) {
  EXPECT_EQ(folder_of("tests/a/b.cc"), "tests/a");
  EXPECT_EQ(folder_of("dev"), "");
  EXPECT_EQ(top_folder_of("tests/a/b.cc"), "tests");
  EXPECT_EQ(top_folder_of("dev"), "");
  EXPECT_EQ(file_name_of("tests/a/b.cc"), "b.cc");
}

}  // namespace
}  // namespace qbuild::tidy
