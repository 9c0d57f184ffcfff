#include "manifests/quant_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::manifests {
namespace {

TEST(QuantNames, AreTheRecipesKnownNow) {
  EXPECT_THAT(recipe_names(), testing::UnorderedElementsAre("F32", "F16", "BF16", "Q8_0", "Q4_0",
                                                            "Q4_K_S", "Q4_K_M", "Q6_K"));
  EXPECT_TRUE(is_recipe_name("Q4_K_M"));
  EXPECT_FALSE(is_recipe_name("q4_k_m"));
  EXPECT_FALSE(is_recipe_name("Q4_K"));
}

TEST(QuantNames, EveryTensorTypeIsANumberType) {
  for (const std::string_view name : tensor_types()) {
    ASSERT_TRUE(tensor_type(name)) << name;
    EXPECT_EQ(dtype_name(*tensor_type(name)), name);
  }
  EXPECT_EQ(tensor_type("Q2_K"), std::nullopt);  // a type, but nothing here encodes it
  EXPECT_EQ(tensor_type("Q4_K_M"), std::nullopt);
}

TEST(UnknownWord, SuggestsTheNearestOne) {
  EXPECT_EQ(unknown_word("quant", "Q4_K_X", recipe_names()),
            "unknown quant \"Q4_K_X\"; did you mean \"Q4_K_M\"?");
}

TEST(UnknownWord, ListsWhatIsKnownWhereNothingIsNear) {
  EXPECT_EQ(unknown_word("method", "gptq", method_names()),
            "unknown method \"gptq\"; known: command");
  EXPECT_EQ(unknown_word("variable", "size", {}), "unknown variable \"size\"");
}

}  // namespace
}  // namespace qbuild::manifests
