#include "rules/recipe_override.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "rules/recipe.h"

namespace qbuild::rules {
namespace {

const std::vector<TensorSpec> kTensors{{"output.weight", {256, 64}},
                                       {"blk.0.attn_q.weight", {256, 64}},
                                       {"blk.0.attn_norm.weight", {256}},
                                       {"blk.1.attn_q.weight", {256, 64}},
                                       {"blk.1.attn_k.weight", {256, 64}}};

std::vector<const Override*> match(const std::vector<Override>& rules) {
  return match_overrides(rules, kTensors, "llama", 2);
}

void expect_error(const Override& rule, const std::string& message) {
  try {
    (void)match({rule});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_EQ(error.message(), message);
  }
}

TEST(Override, TheFirstThatTakesATensorHasIt) {
  const std::vector<Override> rules{{"attn_q", {{-1, -1}}, DType::kQ8_0},
                                    {"attn", {}, DType::kQ4_0}};
  const auto matched = match(rules);
  EXPECT_EQ(matched,
            (std::vector<const Override*>{nullptr, &rules[1], nullptr, rules.data(), &rules[1]}));
}

TEST(Override, WithLayersTakesNothingOutsideOfBlocks) {
  const std::vector<Override> rules{{"weight", {{0, -1}}, DType::kQ8_0}};
  EXPECT_EQ(match(rules)[0], nullptr);
  EXPECT_EQ(match(rules)[1], rules.data());
}

TEST(Override, ThatMatchesNothingIsAnError) {
  const std::string hint = "; `qbuild inspect` on a built variant lists their names";
  expect_error({"attn_typo", {}, DType::kQ8_0},
               "rule \"attn_typo\" matches no tensor that is quantized" + hint);
  expect_error({"attn_norm", {}, DType::kQ8_0},
               "rule \"attn_norm\" matches no tensor that is quantized" + hint);
}

TEST(Override, OutsideOfTheModelsLayersSaysBoth) {
  expect_error({"attn_q", {{7, 9}, {-1, -5}, {12, 12}}, DType::kQ8_0},
               "rule \"attn_q\" matches no tensor that is quantized in the layers 7..9,-1..-5,12; "
               "the model has the layers 0..1; `qbuild inspect` on a built variant lists their "
               "names");
  EXPECT_NO_THROW(check_override({"attn_q", {{1, 1}}, DType::kQ8_0}, kTensors, {2, 8, 8}));
}

TEST(Override, ThatIsNoExpressionIsAnError) {
  EXPECT_THROW((void)match({{"attn_(", {}, DType::kQ8_0}}), Error);
}

}  // namespace
}  // namespace qbuild::rules
