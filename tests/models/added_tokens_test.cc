#include "models/added_tokens.h"

#include <gtest/gtest.h>

#include <string>

#include "models/random.h"

namespace qbuild::models {
namespace {

using formats::AddedToken;

AddedToken token(std::int32_t id, std::string content, bool single_word = false) {
  AddedToken result;
  result.id = id;
  result.content = std::move(content);
  result.single_word = single_word;
  return result;
}

std::int32_t found(const AddedTokens& tokens, std::string_view text, std::size_t at) {
  const AddedToken* const one = tokens.find(text, at);
  return one == nullptr ? -1 : one->id;
}

TEST(AddedTokens, FindTheLongestThatStandsThere) {
  const AddedTokens tokens({token(0, "<a>"), token(1, "<a>b"), token(2, "<a>bc"), token(3, "<")});
  EXPECT_EQ(found(tokens, "x<a>bd", 1), 1);
  EXPECT_EQ(found(tokens, "x<a>bcd", 1), 2);
  EXPECT_EQ(found(tokens, "<a", 0), 3);
  EXPECT_EQ(found(tokens, "x<a>", 0), -1);
  EXPECT_EQ(found(tokens, "a>", 0), -1);
}

TEST(AddedTokens, PassOverASingleWordInsideAWordForAShorterOne) {
  const AddedTokens tokens({token(0, "ab", true), token(1, "a"), token(2, "abc", true)});
  EXPECT_EQ(found(tokens, "abc", 0), 2);
  EXPECT_EQ(found(tokens, "abcd", 0), 1);
  EXPECT_EQ(found(tokens, "ab.", 0), 0);
  EXPECT_EQ(found(tokens, "xab", 1), 1);
}

TEST(AddedTokens, WithoutATextAreNeverFoundAndOfEqualOnesTheFirstIs) {
  const AddedTokens tokens({token(0, ""), token(7, "a"), token(3, "a")});
  EXPECT_EQ(found(tokens, "a", 0), 3);
  EXPECT_EQ(found(AddedTokens(), "a", 0), -1);
}

TEST(AddedTokens, AreFoundAsAWalkOverAllOfThemFindsThem) {
  SplitMix64 random(7);
  for (int round = 0; round < 200; ++round) {
    const auto word = [&](std::size_t most) {
      std::string text;
      for (std::size_t n = 1 + random.next() % most; n > 0; --n)
        text += static_cast<char>('a' + random.next() % 2);
      return text;
    };
    std::vector<AddedToken> list;
    for (std::int32_t id = 0; id < 12; ++id) list.push_back(token(id, word(5)));
    const AddedTokens tokens(list);
    const std::string text = word(12);
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::int32_t longest = -1;
      std::size_t size = 0;
      for (const AddedToken& one : list) {
        if (one.content.size() <= size || text.compare(at, one.content.size(), one.content) != 0)
          continue;
        longest = one.id;
        size = one.content.size();
      }
      EXPECT_EQ(found(tokens, text, at), longest) << text << " " << at;
    }
  }
}

}  // namespace
}  // namespace qbuild::models
