#include "rules/recipe.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/error.h"

namespace qbuild::rules {
namespace {

using ::testing::HasSubstr;

// A Llama of `blocks` blocks with rows of `hidden` values.
std::vector<TensorSpec> llama_tensors(std::uint32_t blocks, std::uint64_t hidden,
                                      bool tied = false) {
  std::vector<TensorSpec> tensors{{"token_embd.weight", {hidden, 1024}},
                                  {"output_norm.weight", {hidden}}};
  if (!tied) tensors.push_back({"output.weight", {hidden, 1024}});
  for (std::uint32_t block = 0; block < blocks; ++block) {
    const std::string prefix = "blk." + std::to_string(block) + ".";
    for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up"})
      tensors.push_back({prefix + name + ".weight", {hidden, hidden}});
    tensors.push_back({prefix + "ffn_down.weight", {hidden * 2, hidden}});
    tensors.push_back({prefix + "attn_norm.weight", {hidden}});
  }
  return tensors;
}

DType type_of(const std::string& name, std::string_view recipe,
              const std::vector<TensorSpec>& tensors, NetworkFacts facts,
              std::vector<Override> overrides = {}) {
  const auto choices =
      choose_types(*find_recipe(recipe), {.overrides = std::move(overrides)}, tensors, facts);
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == name) return choices[i].type;
  ADD_FAILURE() << "no tensor " << name;
  return DType::kF64;
}

TEST(Recipe, Q4KMGivesMoreBitsToTheLayersThatTheReferenceNames) {
  const auto tensors = llama_tensors(32, 256);
  const NetworkFacts facts{32, 8, 8};
  const auto choices = choose_types(*find_recipe("Q4_K_M"), {}, tensors, facts);
  std::vector<std::uint32_t> layers;
  for (std::uint32_t block = 0; block < 32; ++block) {
    const std::string name = "blk." + std::to_string(block) + ".ffn_down.weight";
    const auto at =
        std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
    if (choices[static_cast<std::size_t>(at - tensors.begin())].type == DType::kQ6_K)
      layers.push_back(block);
  }
  // docs/recipes.md: the published example for 32 layers.
  EXPECT_EQ(layers,
            (std::vector<std::uint32_t>{0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31}));
  EXPECT_EQ(type_of("output.weight", "Q4_K_M", tensors, facts), DType::kQ6_K);
  EXPECT_EQ(type_of("token_embd.weight", "Q4_K_M", tensors, facts), DType::kQ4_K);
  EXPECT_EQ(type_of("blk.5.attn_v.weight", "Q4_K_M", tensors, facts), DType::kQ4_K);
  EXPECT_EQ(type_of("blk.6.attn_v.weight", "Q4_K_M", tensors, facts), DType::kQ6_K);
}

TEST(Recipe, Q4KSGivesFiveBitsToTheFirstLayers) {
  const auto tensors = llama_tensors(32, 256);
  const NetworkFacts facts{32, 8, 8};
  EXPECT_EQ(type_of("blk.3.attn_v.weight", "Q4_K_S", tensors, facts), DType::kQ5_K);
  EXPECT_EQ(type_of("blk.4.attn_v.weight", "Q4_K_S", tensors, facts), DType::kQ4_K);
  EXPECT_EQ(type_of("blk.3.ffn_down.weight", "Q4_K_S", tensors, facts), DType::kQ5_K);
  EXPECT_EQ(type_of("blk.4.ffn_down.weight", "Q4_K_S", tensors, facts), DType::kQ4_K);
}

TEST(Recipe, EightyLayersWithGroupedHeadsKeepMoreOfTheValues) {
  const auto tensors = llama_tensors(80, 256);
  EXPECT_EQ(type_of("blk.12.attn_v.weight", "Q4_K_M", tensors, {80, 64, 8}), DType::kQ6_K);
  EXPECT_EQ(type_of("blk.11.attn_v.weight", "Q4_K_M", tensors, {80, 64, 8}), DType::kQ5_K);
  EXPECT_EQ(type_of("blk.11.attn_v.weight", "Q4_K_M", tensors, {80, 64, 64}), DType::kQ4_K);
}

TEST(Recipe, NormsStayExactInEveryRecipe) {
  const auto tensors = llama_tensors(4, 256);
  for (const Recipe& recipe : all_recipes())
    EXPECT_EQ(type_of("blk.0.attn_norm.weight", recipe.name, tensors, {4, 8, 8}), DType::kF32)
        << recipe.name;
}

TEST(Recipe, TiedEmbeddingsAreTreatedAsTheOutput) {
  const auto tensors = llama_tensors(4, 256, true);
  EXPECT_EQ(type_of("token_embd.weight", "Q4_K_M", tensors, {4, 8, 8}), DType::kQ6_K);
  EXPECT_EQ(type_of("token_embd.weight", "Q4_0", tensors, {4, 8, 8}), DType::kQ6_K);
  EXPECT_EQ(type_of("token_embd.weight", "Q8_0", tensors, {4, 8, 8}), DType::kQ8_0);
  EXPECT_EQ(type_of("token_embd.weight", "F16", tensors, {4, 8, 8}), DType::kF16);
}

TEST(Recipe, RowsThatDoNotHoldABlockFallBackAndSaySo) {
  const auto tensors = llama_tensors(32, 576);  // SmolLM2-135M's width: 2.25 blocks of 256
  const NetworkFacts facts{32, 9, 3};
  const auto choices = choose_types(*find_recipe("Q4_K_M"), {}, tensors, facts);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].name == "blk.5.attn_q.weight") {
      EXPECT_EQ(choices[i].type, DType::kQ5_0);
      EXPECT_EQ(choices[i].instead_of, DType::kQ4_K);
    }
    if (tensors[i].name == "output.weight") {
      EXPECT_EQ(choices[i].type, DType::kQ8_0);
    }
  }
  EXPECT_EQ(type_of("blk.0.attn_v.weight", "Q4_K_S", tensors, facts), DType::kQ5_1);
  EXPECT_EQ(type_of("blk.0.attn_q.weight", "Q8_0", llama_tensors(4, 100), {4, 4, 4}), DType::kF16);
}

TEST(Recipe, TheFirstMatchingOverrideWins) {
  const auto tensors = llama_tensors(8, 256);
  const std::vector<Override> rules{{"attn_(q|k)", {}, DType::kQ8_0}, {"attn_q", {}, DType::kQ4_0}};
  EXPECT_EQ(type_of("blk.0.attn_q.weight", "Q4_K_M", tensors, {8, 8, 8}, rules), DType::kQ8_0);
}

TEST(Recipe, LayersOfAnOverrideCountFromBothEnds) {
  const auto tensors = llama_tensors(8, 256);
  const std::vector<Override> rules{{"attn_q", {{0, 1}, {-2, -1}}, DType::kQ8_0}};
  const NetworkFacts facts{8, 8, 8};
  for (const auto& [layer, type] : std::vector<std::pair<int, DType>>{{0, DType::kQ8_0},
                                                                      {1, DType::kQ8_0},
                                                                      {2, DType::kQ4_K},
                                                                      {5, DType::kQ4_K},
                                                                      {6, DType::kQ8_0},
                                                                      {7, DType::kQ8_0}})
    EXPECT_EQ(
        type_of("blk." + std::to_string(layer) + ".attn_q.weight", "Q4_K_M", tensors, facts, rules),
        type)
        << layer;
}

TEST(Recipe, TheChoiceDoesNotDependOnTheOrderOfTheTensors) {
  auto tensors = llama_tensors(12, 256);
  const NetworkFacts facts{12, 8, 4};
  std::vector<std::pair<std::string, DType>> first;
  for (const auto& tensor : tensors)
    first.emplace_back(tensor.name, type_of(tensor.name, "Q4_K_S", tensors, facts));
  std::reverse(tensors.begin(), tensors.end());
  for (const auto& [name, type] : first)
    EXPECT_EQ(type_of(name, "Q4_K_S", tensors, facts), type) << name;
}

TEST(Recipe, TheFirstRowThatHoldsWins) {
  const auto tensors = llama_tensors(32, 256);
  const auto type = [&](std::string_view recipe, const std::string& name, NetworkFacts facts) {
    return type_of(name, recipe, tensors, std::move(facts));
  };
  const NetworkFacts plain{32, 8, 8};
  const NetworkFacts grouped{32, 32, 8};
  EXPECT_EQ(type("Q2_K", "blk.9.attn_v.weight", plain), DType::kQ3_K);
  EXPECT_EQ(type("Q2_K", "blk.9.attn_v.weight", grouped), DType::kQ4_K);
  EXPECT_EQ(type("Q3_K_M", "blk.1.attn_v.weight", plain), DType::kQ5_K);
  EXPECT_EQ(type("Q3_K_M", "blk.2.attn_v.weight", plain), DType::kQ4_K);
  EXPECT_EQ(type("Q3_K_M", "blk.1.ffn_down.weight", plain), DType::kQ5_K);
  EXPECT_EQ(type("Q3_K_M", "blk.2.ffn_down.weight", plain), DType::kQ4_K);
  EXPECT_EQ(type("IQ3_XS", "blk.3.ffn_up.weight", plain), DType::kIQ3_S);
  EXPECT_EQ(type("IQ3_XS", "blk.4.ffn_up.weight", plain), DType::kIQ3_XXS);
  EXPECT_EQ(type("IQ3_XS", "blk.28.ffn_up.weight", plain), DType::kIQ3_S);
  EXPECT_EQ(type("IQ2_M", "blk.5.attn_output.weight", plain), DType::kIQ3_S);
  EXPECT_EQ(type("Q5_K_M", "blk.6.ffn_down.weight", plain), DType::kQ6_K);
  EXPECT_EQ(type("Q5_K_S", "blk.6.ffn_down.weight", plain), DType::kQ5_K);
}

TEST(Recipe, OutputAndEmbeddingsHaveColumnsOfTheirOwn) {
  const auto tensors = llama_tensors(4, 256);
  const NetworkFacts facts{4, 8, 8};
  EXPECT_EQ(type_of("output.weight", "IQ2_XS", tensors, facts), DType::kQ5_K);
  EXPECT_EQ(type_of("token_embd.weight", "IQ2_XS", tensors, facts), DType::kQ2_K);
  EXPECT_EQ(type_of("token_embd.weight", "TQ1_0", tensors, facts), DType::kQ4_K);
  EXPECT_EQ(type_of("output.weight", "MXFP4_MOE", tensors, facts), DType::kQ8_0);
}

TEST(Recipe, FewExpertsShareAnAttentionThatKeepsMore) {
  const auto tensors = llama_tensors(32, 256);
  const NetworkFacts eight{32, 32, 8, 8};
  EXPECT_EQ(type_of("blk.9.attn_v.weight", "Q4_K_M", tensors, eight), DType::kQ8_0);
  EXPECT_EQ(type_of("blk.9.attn_k.weight", "Q4_K_M", tensors, eight), DType::kQ8_0);
  EXPECT_EQ(type_of("blk.9.attn_output.weight", "Q4_K_M", tensors, eight), DType::kQ5_K);
  EXPECT_EQ(type_of("blk.9.attn_output.weight", "Q4_K_M", tensors, {32, 32, 8, 16}), DType::kQ4_K);
}

TEST(Recipe, ExpertsOfALayerHaveItsNumberWhateverTheirOrder) {
  std::vector<TensorSpec> tensors;
  for (int block = 0; block < 16; ++block)
    for (const char* kind : {"_exps", "_shexp"})
      tensors.push_back({"blk." + std::to_string(block) + ".ffn_down" + kind + ".weight",
                         {256, 256, kind[1] == 'e' ? 64u : 1u}});
  const NetworkFacts facts{16, 8, 8, 64, "deepseek2"};
  EXPECT_EQ(type_of("blk.1.ffn_down_shexp.weight", "Q4_K_S", tensors, facts), DType::kQ5_K);
  EXPECT_EQ(type_of("blk.2.ffn_down_exps.weight", "Q4_K_S", tensors, facts), DType::kQ4_K);
  // These recipes count tensors.
  EXPECT_EQ(type_of("blk.0.ffn_down_shexp.weight", "IQ1_S", tensors, facts), DType::kQ2_K);
  EXPECT_EQ(type_of("blk.1.ffn_down_exps.weight", "IQ1_S", tensors, facts), DType::kIQ1_S);
  EXPECT_EQ(type_of("blk.1.ffn_down_exps.weight", "MXFP4_MOE", tensors, facts), DType::kMXFP4);
  EXPECT_EQ(type_of("blk.1.ffn_down_shexp.weight", "MXFP4_MOE", tensors, facts), DType::kQ8_0);
}

TEST(Recipe, SomeArchitecturesHaveExceptions) {
  const std::vector<TensorSpec> tensors{{"output.weight", {256, 64}},
                                        {"blk.0.attn_q_a.weight", {256, 64}},
                                        {"blk.0.attn_v_b.weight", {256, 64, 8}},
                                        {"blk.0.ffn_up_exps.weight", {256, 64, 8}}};
  const NetworkFacts deepseek{4, 8, 8, 64, "deepseek2"};
  const NetworkFacts bailing{4, 8, 8, 64, "bailingmoe3"};
  const NetworkFacts glm{4, 8, 8, 64, "glm5-next"};
  EXPECT_EQ(type_of("blk.0.attn_v_b.weight", "MXFP4_MOE", tensors, deepseek), DType::kMXFP4);
  EXPECT_EQ(type_of("blk.0.attn_v_b.weight", "MXFP4_MOE", tensors, bailing), DType::kQ8_0);
  EXPECT_EQ(type_of("blk.0.ffn_up_exps.weight", "MXFP4_MOE", tensors, bailing), DType::kMXFP4);
  EXPECT_EQ(type_of("blk.0.attn_v_b.weight", "Q4_K_M", tensors, glm), DType::kF32);
  EXPECT_EQ(type_of("blk.0.attn_q_a.weight", "Q4_K_M", tensors, glm), DType::kQ8_0);
  EXPECT_EQ(type_of("blk.0.attn_q_a.weight", "Q4_K_M", tensors, deepseek), DType::kQ4_K);
}

TEST(Recipe, AnExpertOutsideOfTheBlocksIsAnError) {
  const std::vector<TensorSpec> tensors{{"blk.16.ffn_down_exps.weight", {256, 256, 64}}};
  EXPECT_THROW((void)choose_types(*find_recipe("Q4_K_M"), {}, tensors, {16, 8, 8, 64}), Error);
}

TEST(Recipe, FalconHasAMixOfItsOwn) {
  const auto tensors = llama_tensors(32, 256);
  const NetworkFacts falcon{32, 71, 1, 0, "falcon"};
  EXPECT_EQ(type_of("blk.1.ffn_down.weight", "Q4_K_M", tensors, falcon), DType::kQ6_K);
  EXPECT_EQ(type_of("blk.2.ffn_down.weight", "Q4_K_M", tensors, falcon), DType::kQ5_K);
  EXPECT_EQ(type_of("blk.5.ffn_down.weight", "Q4_K_M", tensors, falcon), DType::kQ4_K);
  EXPECT_EQ(type_of("output.weight", "Q4_K_M", tensors, falcon), DType::kQ8_0);
}

TEST(Recipe, AnImportanceMatrixMakesSomeChooseOtherwise) {
  const auto tensors = llama_tensors(32, 256);
  const auto type = [&](std::string_view recipe, std::size_t tensor, bool has_importance) {
    const RecipeOptions options{.has_importance = has_importance};
    return choose_types(*find_recipe(recipe), options, tensors, {32, 8, 8})[tensor].type;
  };
  const std::size_t first_ffn_down = 3 + 6;
  ASSERT_EQ(tensors[first_ffn_down].name, "blk.0.ffn_down.weight");
  EXPECT_EQ(type("Q4_0", first_ffn_down, false), DType::kQ4_0);
  EXPECT_EQ(type("Q4_0", first_ffn_down, true), DType::kQ4_1);
  EXPECT_EQ(type("Q5_0", first_ffn_down, true), DType::kQ5_1);
  EXPECT_EQ(type("IQ4_XS", first_ffn_down, false), DType::kQ5_K);
  EXPECT_EQ(type("IQ4_XS", first_ffn_down, true), DType::kIQ4_XS);
}

TEST(Recipe, WhatNeedsAnImportanceMatrixSaysSoBeforeAnythingRuns) {
  const auto tensors = llama_tensors(4, 256);
  const auto demand = [&](std::string_view name, RecipeOptions options) {
    const Recipe& recipe = *find_recipe(name);
    require_importance(recipe, options, tensors, choose_types(recipe, options, tensors, {4, 8, 8}));
  };
  try {
    demand("IQ2_XS", {});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_EQ(error.message(),
              "IQ2_XS needs an importance matrix: blk.0.attn_q.weight becomes IQ2_XS, which is of "
              "no use without one; give the model one (imatrix: FILE), and this quant the key "
              "imatrix: true");
  }
  EXPECT_THROW(demand("Q2_K_S", {}), Error);
  EXPECT_NO_THROW(demand("Q2_K", {}));
  EXPECT_NO_THROW(demand("IQ2_XS", {.has_importance = true}));
  EXPECT_NO_THROW(demand("Q4_K_M", {}));
}

TEST(Recipe, PureGivesOneTypeButForWhatIsAskedFor) {
  const auto tensors = llama_tensors(32, 256);
  const RecipeOptions options{.pure = true, .output = DType::kQ8_0, .embedding = DType::kQ5_K};
  const auto choices = choose_types(*find_recipe("Q4_K_M"), options, tensors, {32, 8, 8});
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!is_quantizable(tensors[i], "llama")) continue;
    DType expected = DType::kQ4_K;
    if (tensors[i].name == "output.weight") expected = DType::kQ8_0;
    if (tensors[i].name == "token_embd.weight") expected = DType::kQ5_K;
    EXPECT_EQ(choices[i].type, expected) << tensors[i].name;
  }
}

TEST(Recipe, AnOutputTypeIsForTiedEmbeddingsToo) {
  const auto tensors = llama_tensors(4, 256, true);
  const RecipeOptions output{.output = DType::kQ8_0};
  EXPECT_EQ(choose_types(*find_recipe("Q4_K_M"), output, tensors, {4, 8, 8})[0].type, DType::kQ8_0);
  const RecipeOptions both{.output = DType::kQ8_0, .embedding = DType::kQ5_K};
  EXPECT_EQ(choose_types(*find_recipe("Q4_K_M"), both, tensors, {4, 8, 8})[0].type, DType::kQ5_K);
}

TEST(Recipe, AnOptionWhoseTypeTheRowsDoNotHoldIsAnError) {
  const RecipeOptions options{.embedding = DType::kQ4_K};
  EXPECT_THROW((void)choose_types(*find_recipe("Q4_0"), options, llama_tensors(2, 576), {2, 9, 3}),
               Error);
}

TEST(Recipe, WhereNoTypeStandsInRowsThatDoNotFitAreAnError) {
  try {
    (void)choose_types(*find_recipe("Q1_0"), {}, llama_tensors(2, 576), {2, 9, 3});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(error.message(), HasSubstr("rows of 576 values do not hold whole blocks of Q1_0"));
  }
}

TEST(Recipe, TheOutputTakesEightBitsWhereTheBaseDoesNotFit) {
  const auto tensors = llama_tensors(2, 576);
  EXPECT_EQ(type_of("output.weight", "IQ2_XS", tensors, {2, 9, 3}), DType::kQ8_0);
  EXPECT_EQ(type_of("output.weight", "IQ4_NL", tensors, {2, 9, 3}), DType::kQ8_0);
  EXPECT_EQ(type_of("blk.0.attn_q.weight", "IQ2_XS", tensors, {2, 9, 3}), DType::kIQ4_NL);
  EXPECT_EQ(type_of("blk.0.attn_q.weight", "Q3_K_S", tensors, {2, 9, 3}), DType::kQ4_0);
}

TEST(Recipe, AnOverriddenTensorIsNotCounted) {
  const auto tensors = llama_tensors(32, 256);
  const std::vector<Override> rules{{"attn_v", {{0, 0}}, DType::kQ8_0}};
  EXPECT_EQ(type_of("blk.4.attn_v.weight", "Q4_K_S", tensors, {32, 8, 8}), DType::kQ4_K);
  EXPECT_EQ(type_of("blk.4.attn_v.weight", "Q4_K_S", tensors, {32, 8, 8}, rules), DType::kQ5_K);
}

}  // namespace
}  // namespace qbuild::rules
