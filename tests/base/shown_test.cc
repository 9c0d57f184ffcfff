#include "base/shown.h"

#include <gtest/gtest.h>

namespace qbuild {
namespace {

TEST(Shown, LeavesNamesAsTheyAre) {
  for (const std::string_view name :
       {"", "model.layers.0.mlp.up_proj.weight", "a \"b\" \\c", "\xC4\xA0the", "\xF0\x9F\x9A\x80"})
    EXPECT_EQ(shown(name), name);
  EXPECT_EQ(shown(std::string(kMaxShownBytes, 'a')), std::string(kMaxShownBytes, 'a'));
}

TEST(Shown, SpellsControlCharactersAndBytesThatAreNoText) {
  EXPECT_EQ(shown("a\nb"), "a\\nb");
  EXPECT_EQ(shown("\x1b[2J"), "\\u001b[2J");
  EXPECT_EQ(shown("\xff"), "\xEF\xBF\xBD");
  EXPECT_EQ(shown(std::string_view("\0", 1)), "\\u0000");
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
  EXPECT_LE(shown(std::string(1000, '\x80')).size(), 3 * kMaxShownBytes + 20);
}

}  // namespace
}  // namespace qbuild
