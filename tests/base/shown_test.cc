#include "base/shown.h"

#include <gtest/gtest.h>

namespace qbuild {
namespace {

TEST(SpelledOut, KeepsWhatShowsItself) {
  for (const std::string_view text : {"", "plain", "Größe \"x\" \\ 日本 \U0001f600", "\u00a0"}) {
    EXPECT_TRUE(shows_all(text)) << text;
    EXPECT_EQ(spelled_out(text), text);
  }
}

TEST(SpelledOut, SpellsControlsBreaksAndMarksOfDirection) {
  const auto expect = [](std::string_view text, std::string_view shown) {
    EXPECT_FALSE(shows_all(text)) << shown;
    EXPECT_EQ(spelled_out(text), shown);
  };
  expect("a\nb\tc", "a\\x0ab\\x09c");
  expect("\x1b[31m\x7f", "\\x1b[31m\\x7f");
  expect("\u009b31m", "\\x9b31m");
  expect("a\u202eb\u202ec", "a\\u202eb\\u202ec");
  expect("\u2028\u2029\u2066\u2069", "\\u2028\\u2029\\u2066\\u2069");
}

TEST(SpelledOut, SpellsBytesThatAreNoText) {
  EXPECT_EQ(spelled_out("a\xff\xe2\x80"), "a\\xff\\xe2\\x80");
  EXPECT_TRUE(shows_all("\xc2"));
}

TEST(Shown, LeavesNamesAsTheyAre) {
  for (const std::string_view name :
       {"", "model.layers.0.mlp.up_proj.weight", "a \"b\" \\c", "\xC4\xA0the", "\xF0\x9F\x9A\x80"})
    EXPECT_EQ(shown(name), name);
  EXPECT_EQ(shown(std::string(kMaxShownBytes, 'a')), std::string(kMaxShownBytes, 'a'));
}

TEST(Shown, SpellsOut) {
  EXPECT_EQ(shown("a\nb"), "a\\x0ab");
  EXPECT_EQ(shown(std::string_view("\0", 1)), "\\x00");
}

TEST(Shown, CutsWhatIsLongAndSaysHowLong) {
  EXPECT_EQ(shown(std::string(4'000'000, 'a')),
            std::string(kMaxShownBytes, 'a') + "... (4000000 bytes)");
}

TEST(Shown, CutsBetweenCharacters) {
  std::string text = std::string(kMaxShownBytes - 1, 'a');
  for (int i = 0; i < 10; ++i) text += "\xE2\x82\xAC";
  EXPECT_EQ(shown(text), std::string(kMaxShownBytes - 1, 'a') + "... (189 bytes)");
  // Bytes that continue nothing are no character to keep whole.
  EXPECT_LE(shown(std::string(1000, '\x80')).size(), 4 * kMaxShownBytes + 20);
}

}  // namespace
}  // namespace qbuild
