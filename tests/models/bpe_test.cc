#include "models/bpe.h"

#include <gmock/gmock.h>

#include "tests/base/expect_error.h"

namespace qbuild::models {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Merges = std::vector<std::pair<std::string, std::string>>;

std::vector<std::int32_t> encode(const Bpe& bpe, std::string_view word) {
  std::vector<std::int32_t> ids;
  bpe.encode_word(word, ids);
  return ids;
}

TEST(ByteSpelling, IsTheOneOfGpt2) {
  EXPECT_EQ(spell_bytes(" a\n"),
            "\xc4\xa0"
            "a"
            "\xc4\x8a");
  EXPECT_EQ(spell_bytes("\xc3\xa9"), "\xc3\x83\xc2\xa9");
  EXPECT_EQ(spell_bytes(std::string_view("\0", 1)), "\xc4\x80");
  EXPECT_EQ(spell_bytes("\xad"), "\xc5\x83")
      << "the last of the 68 that have no spelling of their own";
}

TEST(ByteSpelling, ComesBackForEveryByte) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(unspell_bytes(spell_bytes(all)), all);
}

TEST(ByteSpelling, KeepsWhatIsNoSpelling) {
  EXPECT_EQ(unspell_bytes("\xe6\x97\xa5"), "\xe6\x97\xa5");
  EXPECT_EQ(unspell_bytes("\xc4"), "\xc4");
  EXPECT_EQ(unspell_bytes(""), "");
}

TEST(Bpe, MergesTheLowestRankFirst) {
  const std::vector<std::string> tokens = {"a", "b", "c", "ab", "bc", "abc"};
  EXPECT_THAT(encode(Bpe(tokens, Merges{{"a", "b"}, {"b", "c"}}, false), "abc"), ElementsAre(3, 2));
  EXPECT_THAT(encode(Bpe(tokens, Merges{{"b", "c"}, {"a", "b"}}, false), "abc"), ElementsAre(0, 4));
  EXPECT_THAT(encode(Bpe(tokens, Merges{{"b", "c"}, {"a", "bc"}}, false), "abc"), ElementsAre(5));
}

TEST(Bpe, MergesTheLeftmostOnATie) {
  const Bpe bpe({"a", "aa"}, {{"a", "a"}}, false);
  EXPECT_THAT(encode(bpe, "aaa"), ElementsAre(1, 0));
  EXPECT_THAT(encode(bpe, "aaaaa"), ElementsAre(1, 1, 0));
}

TEST(Bpe, TakesAWholeWordOnlyWhereMergesAreIgnored) {
  const std::vector<std::string> tokens = {"a", "b", "ab"};
  EXPECT_THAT(encode(Bpe(tokens, {}, true), "ab"), ElementsAre(2));
  EXPECT_THAT(encode(Bpe(tokens, {}, false), "ab"), ElementsAre(0, 1));
}

TEST(Bpe, LeavesOutCharactersThatAreNoTokens) {
  const Bpe bpe({"a", "", "aa"}, {{"a", "a"}}, false);
  EXPECT_THAT(encode(bpe, "xax"), ElementsAre(0));
  EXPECT_THAT(encode(bpe, "x"), IsEmpty());
  EXPECT_THAT(encode(bpe, ""), IsEmpty());
}

TEST(Bpe, SurvivesBytesThatAreNoCharacters) {
  const Bpe bpe({"a"}, {}, false);
  EXPECT_THAT(encode(bpe,
                     "\xff\xf0"
                     "a"),
              IsEmpty())
      << "the lead byte takes what is left";
  EXPECT_THAT(encode(bpe, "a\xc3"), ElementsAre(0));
}

TEST(Bpe, NamesAMergeOfNoTokens) {
  for (const Merges& merges : {Merges{{"a", "x"}}, Merges{{"x", "a"}}, Merges{{"a", "b"}}}) {
    const Error error = test::error_of([&] { Bpe({"a", "b"}, merges, false); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_THAT(error.message(), testing::HasSubstr("names a token that is not in the vocabulary"));
  }
}

TEST(Bpe, FindsTokensByText) {
  const Bpe bpe({"a", "", "b"}, {}, false);
  EXPECT_EQ(bpe.find("b"), 2);
  EXPECT_EQ(bpe.find(""), -1);
}

TEST(Bpe, MergesAMillionCharactersIntoATree) {
  // Doubling tokens: every level halves the number of pieces. A quadratic merge would not come
  // back.
  std::vector<std::string> tokens = {"a"};
  Merges merges;
  for (int level = 0; level < 10; ++level) {
    merges.emplace_back(tokens.back(), tokens.back());
    tokens.push_back(tokens.back() + tokens.back());
  }
  const std::vector<std::int32_t> ids =
      encode(Bpe(tokens, merges, false), std::string(1U << 20U, 'a'));
  EXPECT_THAT(ids, testing::AllOf(testing::SizeIs(1024), testing::Each(10)));
}

}  // namespace
}  // namespace qbuild::models
