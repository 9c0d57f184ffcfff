#include "manifests/quant_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/yaml_node.h"

namespace qbuild::manifests {
namespace {

TEST(QuantNames, AreTheRecipesKnownNow) {
  EXPECT_THAT(
      recipe_names(),
      testing::UnorderedElementsAre(
          "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K_M", "Q4_K_S", "Q6_K", "Q5_K_M", "Q5_K_S",
          "Q5_0", "Q5_1", "Q4_1", "Q3_K_M", "Q3_K_L", "Q3_K_S", "Q2_K", "IQ4_XS", "IQ4_NL", "IQ3_M",
          "IQ3_S", "IQ3_XS", "IQ3_XXS", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S",
          "Q2_K_S", "MXFP4_MOE", "NVFP4", "TQ2_0", "TQ1_0", "Q1_0"));
  EXPECT_TRUE(is_recipe_name("Q4_K_M"));
  EXPECT_FALSE(is_recipe_name("q4_k_m"));
  EXPECT_FALSE(is_recipe_name("Q4_K"));
}

TEST(QuantNames, EveryTensorTypeIsANumberType) {
  for (const std::string_view name : tensor_types()) {
    ASSERT_TRUE(tensor_type(name)) << name;
    EXPECT_EQ(dtype_name(*tensor_type(name)), name);
  }
  EXPECT_EQ(tensor_type("Q8_K"), std::nullopt);  // never in a file
  EXPECT_EQ(tensor_type("Q4_K_M"), std::nullopt);
}

TEST(UnknownWord, SuggestsTheNearestOne) {
  EXPECT_EQ(unknown_word("quant", "Q4_K_X", recipe_names()),
            "unknown quant \"Q4_K_X\"; did you mean \"Q4_K_M\"?");
}

TEST(UnknownWord, ListsWhatIsKnownWhereNothingIsNear) {
  EXPECT_EQ(unknown_word("method", "zip", method_names()),
            "unknown method \"zip\"; known: command");
  EXPECT_EQ(unknown_word("variable", "size", {}), "unknown variable \"size\"");
}

TEST(UnknownWord, AWordOfTheFieldIsNotPossibleYetWhateverIsNear) {
  EXPECT_EQ(unknown_word("quant", "Q3_K", recipe_names()),
            "\"Q3_K\" is not possible yet; possible are F32, F16, BF16, Q8_0, Q4_0, Q4_K_M, "
            "Q4_K_S, Q6_K, Q5_K_M, Q5_K_S, Q5_0, Q5_1, Q4_1, Q3_K_M, Q3_K_L, Q3_K_S, Q2_K, "
            "IQ4_XS, IQ4_NL, IQ3_M, IQ3_S, IQ3_XS, IQ3_XXS, IQ2_M, IQ2_S, IQ2_XS, IQ2_XXS, "
            "IQ1_M, IQ1_S, Q2_K_S, MXFP4_MOE, NVFP4, TQ2_0, TQ1_0, Q1_0");
  EXPECT_EQ(unknown_word("method", "gptq", method_names()),
            "\"gptq\" is not possible yet; possible are command");
  for (const std::string_view word : {"Q2_0", "awq", "AWQ", "nf4", "mlx"})
    EXPECT_TRUE(is_word_of_the_field(word)) << word;
  for (const std::string_view word : recipe_names()) EXPECT_FALSE(is_word_of_the_field(word));
  EXPECT_FALSE(is_word_of_the_field("Q4_K_X"));
}

TEST(UnknownWord, IsNotComparedWithMoreThanIsWorthTheTime) {
  const std::string word(100, 'q');
  EXPECT_EQ(unknown_word("set", word + "x", std::vector<std::string_view>{word, "b"}),
            "unknown set " + quote(word) + "; did you mean \"" + word + "\"?");
  const std::vector<std::string_view> many(1000, word);
  EXPECT_EQ(unknown_word("set", word + "x", many), "unknown set " + quote(word));
}

TEST(UnknownWord, ListsKnownWordsOnlyAsFarAsSomebodyReads) {
  const std::string huge(1000, 'h');
  EXPECT_EQ(unknown_word("set", "x", std::vector<std::string_view>{"first", huge}),
            "unknown set \"x\"; known: first, ...");
}

}  // namespace
}  // namespace qbuild::manifests
