#include "base/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace qbuild {
namespace {

TEST(Glob, MatchesPlainTextOnlyItself) {
  EXPECT_TRUE(glob_match("abc", "abc"));
  EXPECT_FALSE(glob_match("abc", "abcd"));
  EXPECT_FALSE(glob_match("abc", "ab"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "a"));
}

TEST(Glob, StarStandsForAnythingAlsoColonsAndNothing) {
  EXPECT_TRUE(glob_match("*:Q4_K_M", "smollm2:Q4_K_M"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*:benchmark", "a:b:benchmark"));
  EXPECT_TRUE(glob_match("a*c*e", "abcde"));
  EXPECT_FALSE(glob_match("a*c*e", "abcd"));
}

TEST(Glob, QuestionMarkStandsForExactlyOne) {
  EXPECT_TRUE(glob_match("Q?_0", "Q8_0"));
  EXPECT_FALSE(glob_match("Q?_0", "Q_0"));
}

TEST(Glob, StarInTheTextIsAnOrdinaryCharacter) {
  EXPECT_TRUE(glob_match("?", "*"));
  EXPECT_FALSE(glob_match("a", "*"));
}

TEST(Glob, HostilePatternEndsSoon) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(20'000, 'a')));
}

}  // namespace
}  // namespace qbuild
