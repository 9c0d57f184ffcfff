#include "manifests/shown_text.h"

#include <gtest/gtest.h>

namespace qbuild::manifests {
namespace {

TEST(ShownText, KeepsWhatShowsItself) {
  for (const std::string_view text : {"", "plain", "Größe \"x\" \\ 日本 \U0001f600", "\u00a0"}) {
    EXPECT_TRUE(shows_all(text)) << text;
    EXPECT_EQ(shown_text(text), text);
  }
}

TEST(ShownText, SpellsControlsBreaksAndMarksOfDirection) {
  const auto expect = [](std::string_view text, std::string_view shown) {
    EXPECT_FALSE(shows_all(text)) << shown;
    EXPECT_EQ(shown_text(text), shown);
  };
  expect("a\nb\tc", "a\\x0ab\\x09c");
  expect("\x1b[31m\x7f", "\\x1b[31m\\x7f");
  expect("\u009b31m", "\\x9b31m");
  expect("a\u202eb\u202ec", "a\\u202eb\\u202ec");
  expect("\u2028\u2029\u2066\u2069", "\\u2028\\u2029\\u2066\\u2069");
}

TEST(ShownText, SpellsBytesThatAreNoText) {
  EXPECT_EQ(shown_text("a\xff\xe2\x80"), "a\\xff\\xe2\\x80");
  EXPECT_TRUE(shows_all("\xc2"));
}

}  // namespace
}  // namespace qbuild::manifests
