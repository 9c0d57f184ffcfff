#include "rules/recipe_table.h"

#include <algorithm>
#include <array>

namespace qbuild::rules {
namespace {

using enum TensorRole;
using enum Where;
using enum DType;

// Eight experts share one attention: a few bits more there cost nearly nothing.
constexpr Row kFiveBitOutputs{kAttnOutput, kQ5_K, kEverywhere, kEightExperts | kNotFalcon};

constexpr std::array kCommon{
    Row{kDelicate, kQ8_0},
    Row{kOutput, kQ8_0, kEverywhere, kFalcon},
    // From here on: Common::kOfMost.
    Row{kAttnV, kQ8_0, kEverywhere, kEightExperts},
    Row{kAttnK, kQ8_0, kEverywhere, kEightExperts},
};
constexpr std::size_t kCommonToAll = 2;

// Types of about four bits and more.

// With an importance matrix the first layers may go wrong without an offset of their own; without
// one they go wrong with it.
constexpr std::array kQ40Rows{Row{kFfnDown, kQ4_1, kFirstEighth, kImportance}};
constexpr std::array kQ50Rows{Row{kFfnDown, kQ5_1, kFirstEighth, kImportance}};
constexpr std::array kQ4KSRows{
    Row{kAttnV, kQ5_K, kFirstFour},
    Row{kFfnDown, kQ5_K, kFirstEighth, kNotFalcon},
    kFiveBitOutputs,
};
constexpr std::array kQ4KMRows{
    Row{kAttnV, kQ6_K, kMoreBits},
    Row{kFfnDown, kQ6_K, kMoreBits, kNotFalcon},
    Row{kFfnDown, kQ6_K, kFirstSixteenth, kFalcon},
    Row{kFfnDown, kQ5_K, kMoreBits, kFalcon},
    kFiveBitOutputs,
};
constexpr std::array kQ5KMRows{
    Row{kAttnV, kQ6_K, kMoreBits},
    Row{kFfnDown, kQ6_K, kMoreBits},
};
constexpr std::array kIQ4Rows{
    Row{kAttnV, kQ5_K, kEverywhere, kGroupedByFour},
    Row{kFfnDown, kQ5_K, kFirstEighth, kNoImportance},
    kFiveBitOutputs,
};
// Experts alone are worth so few bits. Attention may have tensors of three dimensions as well:
// where it has, the role decides.
constexpr std::array kMXFP4MoeRows{
    Row{kAny, kMXFP4, kEverywhere, kStacked | kNotStackedMla},
    Row{kFfnUp, kMXFP4, kEverywhere, kStacked},
    Row{kFfnGate, kMXFP4, kEverywhere, kStacked},
    Row{kFfnDown, kMXFP4, kEverywhere, kStacked},
    Row{kAny, kQ8_0},
};

// About three bits.

constexpr std::array kQ3KSRows{kFiveBitOutputs};
constexpr std::array kQ3KMRows{
    Row{kAttnV, kQ5_K, kFirstTwo},
    Row{kAttnV, kQ4_K},
    Row{kFfnDown, kQ5_K, kFirstSixteenth},
    Row{kFfnDown, kQ4_K, kEverywhere, kNotFalcon},
    Row{kFfnDown, kQ4_K, kMoreBits},
    kFiveBitOutputs,
    Row{kAttnOutput, kQ4_K, kEverywhere, kNotEightExperts | kNotFalcon},
};
constexpr std::array kQ3KLRows{
    Row{kAttnV, kQ5_K},
    Row{kFfnDown, kQ4_K, kEverywhere, kFalcon},
    Row{kFfnDown, kQ5_K},
    Row{kAttnOutput, kQ4_K, kEverywhere, kFalcon},
    Row{kAttnOutput, kQ5_K, kEverywhere, kNotEightExperts},
};
constexpr std::array kIQ3XXSRows{
    Row{kAttnV, kQ4_K, kEverywhere, kGroupedByFour},
    Row{kAttnV, kIQ3_S, kEverywhere, kNoImportance},
    Row{kAttnK, kIQ2_S},
    Row{kAttnQ, kIQ2_S},
    Row{kFfnDown, kQ4_K, kFirstEighth, kNoImportance},
    Row{kFfnDown, kQ3_K, kEverywhere, kNoImportance},
    kFiveBitOutputs,
    Row{kAttnOutput, kIQ3_S, kEverywhere, kNotEightExperts | kNotFalcon},
};
constexpr std::array kIQ3XSRows{
    Row{kAttnV, kQ4_K, kEverywhere, kGroupedByFour},
    Row{kAttnK, kIQ3_XXS},
    Row{kAttnQ, kIQ3_XXS},
    Row{kFfnGate, kIQ3_XXS, kMiddle},
    Row{kFfnUp, kIQ3_XXS, kMiddle},
    kFiveBitOutputs,
};
constexpr std::array kIQ3SRows{
    Row{kAttnV, kQ4_K, kEverywhere, kGroupedByFour},
    kFiveBitOutputs,
};
constexpr std::array kIQ3MRows{
    Row{kAttnV, kQ4_K},
    Row{kFfnDown, kQ4_K, kFirstEighth},
    Row{kFfnDown, kQ4_K, kMoreBits, kEightExperts},
    kFiveBitOutputs,
    Row{kAttnOutput, kQ4_K, kEverywhere, kNotEightExperts | kNotFalcon},
};

// About two bits and fewer.

constexpr std::array kQ2KRows{
    Row{kAttnV, kQ4_K, kEverywhere, kGroupedByFour},
    Row{kAttnV, kQ3_K},
    Row{kFfnDown, kQ3_K},
    kFiveBitOutputs,
    Row{kAttnOutput, kQ3_K, kEverywhere, kNotEightExperts | kNotFalcon},
};
constexpr std::array kQ2KSRows{
    Row{kAttnV, kQ4_K, kEverywhere, kGroupedByFour},
    Row{kFfnDown, kQ4_K, kFirstEighth},
};
constexpr std::array kIQ1Rows{
    Row{kAttnV, kQ4_K, kEverywhere, kGroupedByFour},
    Row{kAttnV, kQ4_K, kEverywhere, kFourExperts},
    Row{kAttnV, kQ2_K},
    Row{kAttnK, kQ4_K, kEverywhere, kEightExperts},
    Row{kFfnDown, kQ2_K, kFirstEighthMet},
    Row{kAttnOutput, kQ5_K, kEverywhere, kEightExperts},
    Row{kAttnOutput, kIQ2_XXS},
};
constexpr std::array kIQ2XRows{
    Row{kAttnV, kQ4_K, kEverywhere, kGroupedByFour},
    Row{kAttnV, kQ4_K, kEverywhere, kFourExperts},
    Row{kAttnV, kQ2_K},
    Row{kAttnK, kQ4_K, kEverywhere, kEightExperts},
    Row{kFfnDown, kQ2_K, kFirstEighthMet},
    Row{kAttnOutput, kQ5_K, kEverywhere, kEightExperts},
};
constexpr std::array kIQ2Rows{
    Row{kAttnV, kQ4_K, kEverywhere, kGroupedByFour},
    Row{kAttnV, kQ4_K, kEverywhere, kFourExperts},
    Row{kAttnV, kIQ3_S},
    Row{kAttnK, kQ4_K, kEverywhere, kEightExperts},
    Row{kFfnDown, kIQ3_S, kFirstEighthMet},
    Row{kAttnOutput, kQ5_K, kEverywhere, kEightExperts},
    Row{kAttnOutput, kIQ3_S},
};

// NVFP4's number is set by converters of checkpoints that come in it; the reference makes none
// from others. Made from others here, it follows what all plain recipes do.
constexpr Common kAll = Common::kOfAll;
constexpr Common kMost = Common::kOfMost;
constexpr std::array kRecipes{
    Recipe{"F32", 0, kF32, kF32, kF32, kAll},
    Recipe{"F16", 1, kF16, kF16, kF16, kAll},
    Recipe{"BF16", 32, kBF16, kBF16, kBF16, kAll},
    Recipe{"Q8_0", 7, kQ8_0, kQ8_0, kQ8_0},
    Recipe{"Q6_K", 18, kQ6_K, kQ6_K, kQ6_K},
    Recipe{"Q5_K_M", 17, kQ5_K, kQ6_K, kQ5_K, kMost, kQ5KMRows},
    Recipe{"Q5_K_S", 16, kQ5_K, kQ6_K, kQ5_K},
    Recipe{"Q5_1", 9, kQ5_1, kQ6_K, kQ5_1},
    Recipe{"Q5_0", 8, kQ5_0, kQ6_K, kQ5_0, kMost, kQ50Rows},
    Recipe{"Q4_K_M", 15, kQ4_K, kQ6_K, kQ4_K, kMost, kQ4KMRows},
    Recipe{"Q4_K_S", 14, kQ4_K, kQ6_K, kQ4_K, kMost, kQ4KSRows},
    Recipe{"Q4_1", 3, kQ4_1, kQ6_K, kQ4_1},
    Recipe{"Q4_0", 2, kQ4_0, kQ6_K, kQ4_0, kMost, kQ40Rows},
    Recipe{"IQ4_NL", 25, kIQ4_NL, kQ6_K, kIQ4_NL, kMost, kIQ4Rows},
    Recipe{"IQ4_XS", 30, kIQ4_XS, kQ6_K, kIQ4_XS, kMost, kIQ4Rows},
    Recipe{"MXFP4_MOE", 38, kMXFP4, kQ8_0, kQ8_0, kAll, kMXFP4MoeRows},
    Recipe{"NVFP4", 39, kNVFP4, kQ6_K, kNVFP4},
    Recipe{"Q3_K_L", 13, kQ3_K, kQ6_K, kQ3_K, kMost, kQ3KLRows},
    Recipe{"Q3_K_M", 12, kQ3_K, kQ6_K, kQ3_K, kMost, kQ3KMRows},
    Recipe{"Q3_K_S", 11, kQ3_K, kQ6_K, kQ3_K, kMost, kQ3KSRows},
    Recipe{"IQ3_M", 27, kIQ3_S, kQ6_K, kIQ3_S, kMost, kIQ3MRows},
    Recipe{"IQ3_S", 26, kIQ3_S, kQ6_K, kIQ3_S, kMost, kIQ3SRows},
    Recipe{"IQ3_XS", 22, kIQ3_S, kQ6_K, kIQ3_S, kMost, kIQ3XSRows},
    Recipe{"IQ3_XXS", 23, kIQ3_XXS, kQ5_K, kIQ3_S, kMost, kIQ3XXSRows},
    Recipe{"Q2_K", 10, kQ2_K, kQ6_K, kQ2_K, kMost, kQ2KRows},
    Recipe{"Q2_K_S", 21, kQ2_K, kQ6_K, kQ2_K, kMost, kQ2KSRows, true},
    Recipe{"Q2_0", 41, kQ2_0, kQ6_K, kQ4_K},
    Recipe{"IQ2_M", 29, kIQ2_S, kQ5_K, kIQ3_S, kAll, kIQ2Rows},
    Recipe{"IQ2_S", 28, kIQ2_XS, kQ5_K, kIQ3_S, kAll, kIQ2Rows},
    Recipe{"IQ2_XS", 20, kIQ2_XS, kQ5_K, kQ2_K, kAll, kIQ2XRows},
    Recipe{"IQ2_XXS", 19, kIQ2_XXS, kQ5_K, kQ2_K, kAll, kIQ2XRows},
    Recipe{"IQ1_M", 31, kIQ1_M, kQ5_K, kQ2_K, kAll, kIQ1Rows},
    Recipe{"IQ1_S", 24, kIQ1_S, kQ5_K, kQ2_K, kAll, kIQ1Rows},
    Recipe{"TQ2_0", 37, kTQ2_0, kQ6_K, kQ4_K},
    Recipe{"TQ1_0", 36, kTQ1_0, kQ6_K, kQ4_K},
    Recipe{"Q1_0", 40, kQ1_0, kQ6_K, kQ1_0},
};

struct SmallerBlock {
  DType type;
  DType instead;
};
constexpr std::array kSmallerBlocks{
    SmallerBlock{kQ2_K, kQ4_0},      SmallerBlock{kQ3_K, kQ4_0},    SmallerBlock{kQ2_0, kQ4_0},
    SmallerBlock{kTQ1_0, kQ4_0},     SmallerBlock{kTQ2_0, kQ4_0},   SmallerBlock{kQ4_K, kQ5_0},
    SmallerBlock{kQ5_K, kQ5_1},      SmallerBlock{kQ6_K, kQ8_0},    SmallerBlock{kIQ1_S, kIQ4_NL},
    SmallerBlock{kIQ1_M, kIQ4_NL},   SmallerBlock{kIQ2_S, kIQ4_NL}, SmallerBlock{kIQ2_XS, kIQ4_NL},
    SmallerBlock{kIQ2_XXS, kIQ4_NL}, SmallerBlock{kIQ3_S, kIQ4_NL}, SmallerBlock{kIQ4_XS, kIQ4_NL},
    SmallerBlock{kIQ3_XXS, kIQ4_NL},
};
constexpr std::uint32_t kSmallBlock = 32;

constexpr std::array kNeedImportance{kIQ1_S, kIQ1_M, kIQ2_XXS, kIQ2_XS, kIQ2_S, kIQ3_XXS};

}  // namespace

std::span<const Recipe> all_recipes() {
  return kRecipes;
}

const Recipe* find_recipe(std::string_view name) {
  const auto* const found = std::find_if(kRecipes.begin(), kRecipes.end(),
                                         [&](const Recipe& recipe) { return recipe.name == name; });
  return found == kRecipes.end() ? nullptr : found;
}

std::span<const Row> common_rows(const Recipe& recipe) {
  if (!recipe.is_quantized()) return {};
  const std::span<const Row> rows = kCommon;
  return recipe.common == Common::kOfMost ? rows : rows.first(kCommonToAll);
}

DType raised_for_large(const Recipe& recipe, DType type) {
  const bool is_raised = recipe.common == Common::kOfMost && (type == kQ3_K || type == kQ4_K);
  return is_raised ? kQ5_K : type;
}

std::optional<DType> smaller_block(DType type) {
  const auto* const found = std::find_if(kSmallerBlocks.begin(), kSmallerBlocks.end(),
                                         [&](const SmallerBlock& one) { return one.type == type; });
  if (found != kSmallerBlocks.end()) return found->instead;
  if (dtype_info(type).block_values <= kSmallBlock) return type;
  return std::nullopt;
}

bool needs_importance(const Recipe& recipe, DType type) {
  if (recipe.base_needs_importance && type == recipe.base) return true;
  return std::find(kNeedImportance.begin(), kNeedImportance.end(), type) != kNeedImportance.end();
}

std::set<DType> possible_types(const Recipe& recipe, bool has_importance) {
  std::set<DType> types{recipe.base, recipe.output, recipe.embedding};
  const auto add_rows = [&](std::span<const Row> rows) {
    for (const Row& row : rows)
      if ((row.needs & (has_importance ? kNoImportance : kImportance)) == 0) types.insert(row.type);
  };
  add_rows(common_rows(recipe));
  add_rows(recipe.rows);
  std::set<DType> all{kF32};  // what is not quantized
  for (const DType type : types) {
    for (const DType possible : {type, raised_for_large(recipe, type)}) {
      all.insert(possible);
      if (dtype_info(possible).block_values == 1) continue;
      all.insert(kF16);
      if (const auto smaller = smaller_block(possible)) all.insert(*smaller);
    }
  }
  return all;
}

}  // namespace qbuild::rules
