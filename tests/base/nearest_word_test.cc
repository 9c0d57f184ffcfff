#include "base/nearest_word.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace qbuild {
namespace {

constexpr std::array<std::string_view, 5> kKnown{"Q4_K_M", "Q4_K_S", "Q8_0", "publish", "F16"};

TEST(NearestWord, FindsASlipOfOneLetter) {
  EXPECT_EQ(nearest_word("publihs", kKnown), "publish");   // swapped
  EXPECT_EQ(nearest_word("pblish", kKnown), "publish");    // left out
  EXPECT_EQ(nearest_word("ppublish", kKnown), "publish");  // one too many
  EXPECT_EQ(nearest_word("Q9_0", kKnown), "Q8_0");         // another
}

TEST(NearestWord, IgnoresCase) {
  EXPECT_EQ(nearest_word("q4_k_s", kKnown), "Q4_K_S");
}

TEST(NearestWord, TakesTheFirstOnATie) {
  EXPECT_EQ(nearest_word("Q4_K_X", kKnown), "Q4_K_M");
}

TEST(NearestWord, OffersNothingForAWordThatIsFarFromAll) {
  EXPECT_EQ(nearest_word("benchmark", kKnown), "");
  EXPECT_EQ(nearest_word("Q2", kKnown), "");
  EXPECT_EQ(nearest_word("", kKnown), "");
  EXPECT_EQ(nearest_word(std::string(100'000, 'q'), kKnown), "");
  EXPECT_EQ(nearest_word("publish", {}), "");
}

TEST(NearestWord, DoesNotTurnAWholeWordIntoAnother) {
  constexpr std::array<std::string_view, 1> kShort{"a"};
  EXPECT_EQ(nearest_word("b", kShort), "");
}

TEST(NearestWord, IsWordedAsTheEndOfAMessage) {
  EXPECT_EQ(did_you_mean("Q4_K_X", kKnown), "; did you mean \"Q4_K_M\"?");
  EXPECT_EQ(did_you_mean("zzzzzz", kKnown), "");
}

}  // namespace
}  // namespace qbuild
