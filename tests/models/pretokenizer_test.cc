#include "models/pretokenizer.h"

#include <gmock/gmock.h>

#include "formats/splitters.h"
#include "tests/base/expect_error.h"

namespace qbuild::models {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> split(const std::vector<std::string>& patterns, std::string_view text) {
  std::vector<std::string> pieces;
  for (const std::string_view piece : Pretokenizer(patterns).split(text))
    pieces.emplace_back(piece);
  return pieces;
}
std::vector<std::string> split_as(std::string_view name, std::string_view text) {
  return split(formats::splitter_from_pre_name(name).splitter.patterns, text);
}

TEST(Pretokenizer, CutsIntoMatchesAndWhatLiesBetween) {
  EXPECT_THAT(split({R"(\d+)"}, "ab12cd3"), ElementsAre("ab", "12", "cd", "3"));
  EXPECT_THAT(split({}, "ab"), ElementsAre("ab"));
  EXPECT_THAT(split({R"(x)"}, "ab"), ElementsAre("ab"));
}

TEST(Pretokenizer, CutsEveryPieceByEveryPattern) {
  EXPECT_THAT(split({R"(\p{N})", R"( ?\p{L}+)"}, "ab cd12"), ElementsAre("ab", " cd", "1", "2"));
}

TEST(Pretokenizer, CutsAsLlama3Does) {
  EXPECT_THAT(
      split_as("llama-bpe", "I'LL pay $1234.5  now\n\n  ok"),
      ElementsAre("I", "'LL", " pay", " $", "123", "4", ".", "5", " ", " now", "\n\n", " ", " ok"));
}

TEST(Pretokenizer, CutsDigitsOneByOneWhereTheNameSaysSo) {
  EXPECT_THAT(split_as("qwen2", "a12"), ElementsAre("a", "1", "2"));
  EXPECT_THAT(split_as("smollm", "a12"), ElementsAre("a", "1", "2"));
  EXPECT_THAT(split_as("gpt-2", "a12"), ElementsAre("a", "12"));
}

TEST(Pretokenizer, KnowsLettersOfAllScripts) {
  EXPECT_THAT(split_as("llama-bpe", "\xd0\xb4\xd0\xb0 \xe6\x97\xa5\xe6\x9c\xac\xf0\x9f\x9a\x80"),
              ElementsAre("\xd0\xb4\xd0\xb0", " \xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x9a\x80"));
}

TEST(Pretokenizer, LosesNothing) {
  for (const std::string_view name :
       {"llama-bpe", "qwen2", "gpt-2", "smollm", "gpt-4o", "tekken"}) {
    for (const std::string_view text :
         {"", " ", "\n\n \t x", "'''", "a\xcc\x81\xe2\x80\x8b!", "\x01\x02"}) {
      std::string joined;
      for (const std::string& piece : split_as(name, text)) joined += piece;
      EXPECT_EQ(joined, text) << name;
    }
  }
}

TEST(Pretokenizer, ManagesAMillionOfOneCharacter) {
  // A stack that is too small for one long match would show here.
  for (const std::string_view name : {"llama-bpe", "gpt-2", "gpt-4o", "tekken"}) {
    for (const char c : {'a', 'A', ' ', '\n', '.', '\''}) {
      const std::string text(1'000'000, c);
      std::size_t bytes = 0;
      for (const std::string& piece : split_as(name, text)) bytes += piece.size();
      EXPECT_EQ(bytes, text.size()) << name << " " << static_cast<int>(c);
    }
  }
}

TEST(Pretokenizer, NamesTheMistakeInAPattern) {
  const Error error = test::error_of([] { Pretokenizer({"a(b"}); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message(),
              HasSubstr("the pre-tokenizer's pattern a(b is wrong at character 3"));
}

TEST(Pretokenizer, GivesUpOnAPatternThatTakesForever) {
  const Error error =
      test::error_of([] { static_cast<void>(split({"(a|aa)+$"}, std::string(64, 'a') + "c")); });
  EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  EXPECT_THAT(error.message(),
              HasSubstr("the pre-tokenizer's pattern gave up at byte 0 of a piece"));
}

TEST(Pretokenizer, NeverTakesAnEmptyMatch) {
  EXPECT_THAT(split({"x*"}, "axb"), ElementsAre("a", "x", "b"));
}

}  // namespace
}  // namespace qbuild::models
