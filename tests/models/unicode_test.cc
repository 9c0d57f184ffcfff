#include "models/unicode.h"

#include <gmock/gmock.h>

namespace qbuild::models {
namespace {

TEST(Unicode, KeepsValidText) {
  for (const std::string_view text :
       {"", "a", "\xc3\xa9", "\xe2\x9c\x85", "\xf0\x9f\x9a\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
  EXPECT_EQ(valid_utf8(std::string_view("\0a", 2)), std::string_view("\0a", 2));
}

TEST(Unicode, ReplacesEveryByteThatBelongsToNoCharacter) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(valid_utf8("a\xff"
                       "b"),
            "a" + bad + "b");
  EXPECT_EQ(valid_utf8("\x80"), bad);
  EXPECT_EQ(valid_utf8("\xc3"), bad);
  EXPECT_EQ(valid_utf8("\xc0\xaf"), bad + bad) << "an overlong slash";
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), bad + bad + bad) << "a surrogate";
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), bad + bad + bad + bad) << "beyond U+10FFFF";
  EXPECT_EQ(valid_utf8("\xf0\x9f\x9a"), bad + bad + bad) << "cut off";
}

TEST(Unicode, MakesEachNormalForm) {
  const std::string composed = "\xc3\xa9";
  const std::string decomposed = "e\xcc\x81";
  EXPECT_EQ(normalized(decomposed, NormalForm::kNfc), composed);
  EXPECT_EQ(normalized(composed, NormalForm::kNfd), decomposed);
  EXPECT_EQ(normalized("\xef\xac\x81", NormalForm::kNfc), "\xef\xac\x81");
  EXPECT_EQ(normalized("\xef\xac\x81", NormalForm::kNfkc), "fi");
  EXPECT_EQ(normalized("\xef\xac\x81" + composed, NormalForm::kNfkd), "fi" + decomposed);
  EXPECT_EQ(normalized("", NormalForm::kNfc), "");
  EXPECT_EQ(normalized(std::string_view("a\0b", 3), NormalForm::kNfc), std::string_view("a\0b", 3));
}

TEST(Unicode, CountsWhiteSpaceAtBothEnds) {
  EXPECT_EQ(trailing_space_bytes("a \t\n"), 3U);
  EXPECT_EQ(trailing_space_bytes("a\xe3\x80\x80\xc2\xa0"), 5U) << "ideographic and no-break space";
  EXPECT_EQ(trailing_space_bytes("a"), 0U);
  EXPECT_EQ(trailing_space_bytes("   "), 3U);
  EXPECT_EQ(leading_space_bytes("\xe2\x80\x83 a"), 4U);
  EXPECT_EQ(leading_space_bytes(""), 0U);
  EXPECT_EQ(leading_space_bytes("\xe2\x80\x8b "), 0U) << "a space of no width is none";
}

TEST(Unicode, TellsWordCharactersAtBothEnds) {
  for (const std::string_view text : {"a", "_", "5", "\xc3\xa9", "\xe6\x97\xa5"}) {
    EXPECT_TRUE(ends_with_word_character(text)) << text;
    EXPECT_TRUE(begins_with_word_character(text)) << text;
  }
  for (const std::string_view text : {"", " ", ".", "-", "\xf0\x9f\x9a\x80"}) {
    EXPECT_FALSE(ends_with_word_character(text)) << text;
    EXPECT_FALSE(begins_with_word_character(text)) << text;
  }
  EXPECT_TRUE(ends_with_word_character(".\xc3\xa9"));
  EXPECT_FALSE(begins_with_word_character(".\xc3\xa9"));
}

}  // namespace
}  // namespace qbuild::models
