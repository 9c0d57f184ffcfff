#include "rules/recipe_table.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "kernels/codec.h"
#include "kernels/matmul.h"
#include "manifests/file_names.h"
#include "manifests/quant_names.h"

namespace qbuild::rules {
namespace {

// Without a product a variant could be made and not measured.
bool is_made_and_measured(DType type) {
  const kernels::Codec* const codec = kernels::find_codec(type);
  return codec != nullptr && codec->can_encode() && kernels::has_product(type);
}

// Q2_0 could not be published under its name.
bool can_be_made(const Recipe& recipe) {
  for (const bool has_importance : {false, true}) {
    const auto types = possible_types(recipe, has_importance);
    if (!std::all_of(types.begin(), types.end(), is_made_and_measured)) return false;
  }
  return manifests::quant_label(recipe.name).has_value();
}

TEST(RecipeTable, IsOfferedInManifestsIfItCanBeMadeMeasuredAndPublished) {
  std::vector<std::string_view> names;
  for (const Recipe& recipe : all_recipes()) {
    if (can_be_made(recipe))
      names.push_back(recipe.name);
    else
      EXPECT_TRUE(manifests::is_word_of_the_field(recipe.name)) << recipe.name;
  }
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(manifests::recipe_names()));
}

TEST(RecipeTable, ARuleMayGiveEveryTypeThatIsMadeAndMeasured) {
  std::vector<std::string_view> types;
  for (const kernels::Codec& codec : kernels::all_codecs()) {
    if (is_made_and_measured(codec.dtype)) types.push_back(dtype_name(codec.dtype));
  }
  EXPECT_THAT(types, testing::UnorderedElementsAreArray(manifests::tensor_types()));
}

TEST(RecipeTable, NamesAndNumbersOfFileTypesAreThereOnce) {
  std::set<std::string_view> names;
  std::set<std::uint32_t> numbers;
  for (const Recipe& recipe : all_recipes()) {
    EXPECT_TRUE(names.insert(recipe.name).second) << recipe.name;
    EXPECT_TRUE(numbers.insert(recipe.file_type).second) << recipe.name;
  }
  EXPECT_EQ(names.size(), 36u);
}

TEST(RecipeTable, EveryTypeOfBlocksThatDoNotFitHasOneThatStandsInButTwo) {
  for (const DTypeInfo& info : all_dtypes()) {
    const auto smaller = smaller_block(info.dtype);
    if (info.dtype == DType::kNVFP4 || info.dtype == DType::kQ1_0) {
      EXPECT_EQ(smaller, std::nullopt) << info.name;
      continue;
    }
    ASSERT_TRUE(smaller) << info.name;
    EXPECT_LE(dtype_info(*smaller).block_values, 32u) << info.name;
  }
}

TEST(RecipeTable, PossibleTypesDependOnTheImportanceMatrix) {
  EXPECT_FALSE(possible_types(*find_recipe("Q4_0"), false).contains(DType::kQ4_1));
  EXPECT_TRUE(possible_types(*find_recipe("Q4_0"), true).contains(DType::kQ4_1));
  EXPECT_TRUE(possible_types(*find_recipe("Q5_K_S"), false).contains(DType::kQ5_1));
  EXPECT_EQ(possible_types(*find_recipe("F16"), true), (std::set<DType>{DType::kF32, DType::kF16}));
}

}  // namespace
}  // namespace qbuild::rules
