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

}  // namespace
}  // namespace qbuild::templates
