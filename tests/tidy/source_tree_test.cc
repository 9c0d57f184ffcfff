// The real tree, held to every rule of this folder.

#include "tests/tidy/source_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/dtype.h"
#include "kernels/codec.h"
#include "tests/tidy/build_files.h"
#include "tests/tidy/documents.h"
#include "tests/tidy/floor_plan.h"
#include "tests/tidy/source_rules.h"

namespace qbuild::tidy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Sources without a test file of their own. Each is short, and its reason says what tests it
// instead.
const Exemptions& exemptions() {
  static const std::string kCodec = "one of the backends that codec_backends_test.cc compares";
  static const std::string kMath = "one of the backends that math_table_test.cc compares";
  static const std::string kCommands = "tests/e2e/commands_test.cc drives it through the program";
  static const std::string kMain = "begins a program; tests/e2e runs both";
  static const Exemptions kExemptions{
      {"cli/build_command.cc", "tests/e2e/edits_test.cc drives it through the program"},
      {"cli/logits.cc", "prints logits; tests/interop compares them with transformers"},
      {"cli/look_commands.cc", kCommands},
      {"cli/main.cc", kMain},
      {"cli/plan_commands.cc", kCommands},
      {"cli/session.cc", kCommands},
      {"cli/worker_main.cc", kMain},
      {"kernels/codec_avx2.cc", kCodec},
      {"kernels/codec_avx512.cc", kCodec},
      {"kernels/codec_elsewhere.cc", kCodec},
      {"kernels/codec_scalar.cc", kCodec},
      {"kernels/math_avx2.cc", kMath},
      {"kernels/math_avx512.cc", kMath},
      {"kernels/math_elsewhere.cc", kMath},
      {"kernels/math_scalar.cc", kMath},
      {"kernels/matmul_pack.cc", "the packing half of matmul.h; matmul_test.cc multiplies with it"},
      {"kernels/processor.cc", "asks the processor; backend_test.cc asks through it"},
      {"rules/heavy_rules.cc", "the worker's list; tests/e2e runs every rule in it"},
      {"rules/speed.cc", "measures time; tests/e2e/edits_test.cc runs it in the program"},
  };
  return kExemptions;
}

// The types that have a codec, which are those that hold weights.
std::vector<TypeFacts> types_with_a_codec() {
  std::vector<TypeFacts> types;
  for (const kernels::Codec& codec : kernels::all_codecs()) {
    const DTypeInfo& info = dtype_info(codec.dtype);
    types.push_back({std::string(info.name), info.block_values, info.block_bytes});
  }
  return types;
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

TEST_F(TheTree, CitesOnlyDocumentsThatAreThere) {
  EXPECT_THAT(find_missing_documents(tree_), IsEmpty());
}

TEST_F(TheTree, QuotesCodeAsItIsCompiled) {
  EXPECT_THAT(find_stale_quotes(tree_), IsEmpty());
  EXPECT_THAT(tree_.at("docs/types/README.md"),
              HasSubstr("<!-- quoted from examples/quantize_row.cc -->\n```cpp\n"));
  EXPECT_THAT(tree_.at("kernels/codec.h"), HasSubstr("// Quoted from examples/quantize_row.cc:\n"));
}

TEST_F(TheTree, DescribesEveryTypeWithItsNumbers) {
  EXPECT_THAT(find_wrong_type_pages(tree_, types_with_a_codec()), IsEmpty());
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
