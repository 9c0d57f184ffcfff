#include "templates/place.h"

#include <gtest/gtest.h>

namespace qbuild::templates {
namespace {

TEST(Place, CountsLinesAndColumnsFromOne) {
  EXPECT_EQ(place_of("t", "ab\ncd", 0), "t:1:1");
  EXPECT_EQ(place_of("t", "ab\ncd", 2), "t:1:3");
  EXPECT_EQ(place_of("t", "ab\ncd", 3), "t:2:1");
}

TEST(Place, CountsAnAccentedLetterAsOneColumn) {
  EXPECT_EQ(place_of("t", "\u00e9\u20acx", 5), "t:1:3");
}

TEST(Place, DoesNotCountColumnsThatTheRendererPutInFront) {
  EXPECT_EQ(place_of("t", "a\n    xy", 7, 4), "t:2:2");
}

TEST(Place, StaysInTheTextForAnOffsetBeyondIt) {
  EXPECT_EQ(place_of("t", "ab", 99), "t:1:3");
}

TEST(Place, OfAnErrorStandsInFrontOfItOnOneLine) {
  const Error error = error_at("t:1:2", "a\nb\t\x1b\u009b\u00f6");
  EXPECT_EQ(error.message(), "t:1:2: a\\x0ab\\x09\\x1b\\x9b\u00f6");
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error_at("t", "", ErrorKind::kExhausted).kind(), ErrorKind::kExhausted);
}

TEST(Place, AMessageIsCutBetweenCharacters) {
  std::string text = "a";
  while (text.size() < 3000) text += "\u00f6";
  EXPECT_EQ(for_message(text), text.substr(0, 1999) + "...");
  EXPECT_EQ(for_message(text.substr(0, 1999)), text.substr(0, 1999));
}

}  // namespace
}  // namespace qbuild::templates
