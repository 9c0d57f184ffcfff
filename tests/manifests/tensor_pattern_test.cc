#include "manifests/tensor_pattern.h"

#include <gtest/gtest.h>

#include "tests/base/bounded.h"
#include "tests/base/expect_error.h"

namespace qbuild::manifests {
namespace {

bool is_in(const std::string& expression, std::string_view name) {
  return TensorPattern(expression).is_in(name);
}

TEST(TensorPattern, IsSearchedInTheName) {
  EXPECT_TRUE(is_in("attn_|_shexp", "blk.0.attn_q.weight"));
  EXPECT_TRUE(is_in("blk\\.(0|1[0-9])\\.", "blk.17.ffn_up.weight"));
  EXPECT_TRUE(is_in("", "output.weight"));
  EXPECT_FALSE(is_in("^attn", "blk.0.attn_q.weight"));
  EXPECT_FALSE(is_in("blk\\.(0|1[0-9])\\.", "blk.7.ffn_up.weight"));
  EXPECT_TRUE(is_in("^blk\\.(?!0\\.)\\d+\\.ffn_(up|down)\\.weight$", "blk.7.ffn_up.weight"));
}

TEST(TensorPattern, IsMovedWithWhatItFinds) {
  TensorPattern first("a");
  TensorPattern second("b");
  second = std::move(first);
  EXPECT_TRUE(second.is_in("xay"));
  EXPECT_FALSE(second.is_in("xby"));
}

TEST(TensorPattern, OfNestedRepetitionsEndsOnANameThatAlmostFits) {
  const std::string name(60, 'a');
  for (const char* const expression : {"^(a|a)*b", "^(a*)*b", "^((a+)+)+b", "^(a|aa)+b$"}) {
    const test::Cost cost = test::bounded(
        [&] { return std::string(TensorPattern(expression).is_in(name) ? "found" : "not"); });
    EXPECT_EQ(cost.said, "not") << expression << cost.failure;
    EXPECT_LT(cost.cpu_seconds, 0.5) << expression;
  }
}

TEST(TensorPattern, SaysWhatIsWrongWithAnExpression) {
  const auto message = [](const std::string& expression) {
    const Error error = test::error_of([&] { TensorPattern{expression}; });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.message();
  };
  constexpr std::string_view kTooLarge =
      " is too large a regular expression: at most 512 bytes, and 50000 parts with its "
      "repetitions; take several rules";
  constexpr std::string_view kNone =
      " is no regular expression (ECMAScript without back-references)";
  EXPECT_EQ(message("a("), "\"a(\"" + std::string(kNone));
  EXPECT_EQ(message("(a)\\1"), "\"(a)\\1\"" + std::string(kNone));
  EXPECT_EQ(message("a{1"), "\"a{1\"" + std::string(kNone));
  EXPECT_EQ(message("(a{99}){99}{99}"), "\"(a{99}){99}{99}\"" + std::string(kTooLarge));
  EXPECT_EQ(message("[a]{9,999}"), "\"[a]{9,999}\"" + std::string(kTooLarge));
  EXPECT_EQ(message("\\w{0,999}"), "\"\\w{0,999}\"" + std::string(kTooLarge));
  EXPECT_EQ(message(std::string(513, 'a')),
            "\"" + std::string(60, 'a') + "...\"" + std::string(kTooLarge));
}

TEST(TensorPattern, CountsBracesAndBracketsOnlyWhereTheyMeanSomething) {
  EXPECT_TRUE(is_in("a\\{99999999\\}", "a{99999999}"));
  EXPECT_TRUE(is_in(std::string(500, '.') + "?", std::string(499, 'x')));
  std::string brackets;
  for (int i = 0; i < 250; ++i) brackets += "\\[";
  EXPECT_TRUE(is_in(brackets, std::string(250, '[')));
}

TEST(TensorPatternChecks, LookAtAnExpressionOnce) {
  TensorPatternChecks checks;
  const std::string costly = "[a]{1,180}";
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(checks.problem(costly), std::nullopt);
  EXPECT_FALSE(checks.are_too_many());
  EXPECT_EQ(checks.problem("("), "is no regular expression (ECMAScript without back-references)");
}

TEST(TensorPatternChecks, RefuseTheFirstThatIsTooMany) {
  TensorPatternChecks checks;
  std::optional<std::string> problem;
  std::size_t good = 0;
  while (!problem && good < 1000) problem = checks.problem("[a]{1,180}" + std::to_string(good++));
  EXPECT_EQ(problem, "is one regular expression too many for one load; take several manifests");
  EXPECT_TRUE(checks.are_too_many());
  EXPECT_GT(good, kMaxAllPatternsCost / kMaxPatternCost);
  EXPECT_LT(good, 100U);
}

}  // namespace
}  // namespace qbuild::manifests
