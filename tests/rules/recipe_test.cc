#include "rules/recipe.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/error.h"
#include "kernels/codec.h"
#include "kernels/matmul.h"
#include "manifests/quant_names.h"

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
  const auto choices = choose_types(*find_recipe(recipe), overrides, tensors, facts);
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == name) return choices[i].type;
  ADD_FAILURE() << "no tensor " << name;
  return DType::kF64;
}

TEST(Recipe, IsThereForEveryNameThatAManifestMayUse) {
  std::vector<std::string_view> names;
  for (const Recipe& recipe : all_recipes()) names.push_back(recipe.name);
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(manifests::recipe_names()));
}

TEST(Recipe, MayGiveEveryTypeThatIsEncodedAndComputedWith) {
  std::vector<std::string_view> types;
  for (const kernels::Codec& codec : kernels::all_codecs()) {
    if (!codec.can_encode() || !kernels::has_product(codec.dtype)) continue;
    types.push_back(dtype_name(codec.dtype));
  }
  EXPECT_THAT(types, testing::UnorderedElementsAreArray(manifests::tensor_types()));
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
  // gguf.md 11.3: the published example for 32 layers.
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

TEST(Recipe, AnOverrideThatMatchesNothingIsAnError) {
  const auto tensors = llama_tensors(2, 256);
  const std::vector<Override> rules{{"attn_typo", {}, DType::kQ8_0}};
  try {
    (void)choose_types(*find_recipe("Q4_K_M"), rules, tensors, {2, 8, 8});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_THAT(error.message(), HasSubstr("rule \"attn_typo\" matches no tensor"));
  }
}

TEST(Recipe, AnOverrideOutsideOfTheModelsLayersSaysBoth) {
  const auto tensors = llama_tensors(2, 256);
  const Override rule{"attn_q", {{7, 9}, {-1, -5}, {12, 12}}, DType::kQ8_0};
  try {
    check_override(rule, tensors, {2, 8, 8});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_EQ(error.message(),
              "rule \"attn_q\" matches no tensor that is quantized in the layers 7..9,-1..-5,12; "
              "the model has the layers 0..1; `qbuild inspect` on a built variant lists their "
              "names");
  }
  EXPECT_NO_THROW(check_override({"attn_q", {{1, 1}}, DType::kQ8_0}, tensors, {2, 8, 8}));
}

TEST(Recipe, ABrokenExpressionIsAnError) {
  const auto tensors = llama_tensors(2, 256);
  const std::vector<Override> rules{{"attn_(", {}, DType::kQ8_0}};
  EXPECT_THROW((void)choose_types(*find_recipe("Q4_K_M"), rules, tensors, {2, 8, 8}), Error);
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

TEST(Recipe, FilesBeginWithWhatIsOutsideTheBlocks) {
  EXPECT_TRUE(file_order("output.weight", "blk.0.attn_q.weight"));
  EXPECT_TRUE(file_order("blk.2.attn_q.weight", "blk.10.attn_k.weight"));
  EXPECT_TRUE(file_order("blk.2.attn_k.weight", "blk.2.attn_q.weight"));
}

}  // namespace
}  // namespace qbuild::rules
