#include "base/text.h"

#include <gmock/gmock.h>

#include <set>

namespace qbuild {
namespace {

TEST(Text, AcceptsUtf8OfEveryLength) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("\xC3\xBC \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF"));
}

TEST(Text, RejectsOverlongSurrogateTruncatedAndTooLargeUtf8) {
  for (const char* bad :
       {"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xED\xA0\x80", "\xC3", "\xE2\x82",
        "\xF4\x90\x80\x80", "\x80", "\xFF", "\xF0\x9F\x98", "\xC3(", "\xE2\x82("})
    EXPECT_FALSE(is_utf8(bad)) << to_hex(bad);
}

TEST(Text, MakesControlCharactersVisibleAndLeavesTheRest) {
  EXPECT_EQ(visible("plain \xC3\xBC\n\tx"), "plain \xC3\xBC\n\tx");
  EXPECT_EQ(visible("a\x1b[2J\r\x7F"), "a\\x1b[2J\\x0d\\x7f");
  EXPECT_EQ(visible("a\xC2\x9B\x32J\xC2\xA9"), "a\\x9b2J\xC2\xA9");
  EXPECT_EQ(visible("a\x9B\x32J\xC3"), "a\\x9b2J\\xc3");
}

TEST(Text, CountsInEnglish) {
  EXPECT_EQ(counted(0, "file"), "0 files");
  EXPECT_EQ(counted(1, "file"), "1 file");
  EXPECT_EQ(counted(2, "file"), "2 files");
}

TEST(Text, TellsLowerHexFromAnythingElse) {
  EXPECT_TRUE(is_lower_hex("0123456789abcdef"));
  EXPECT_FALSE(is_lower_hex(""));
  EXPECT_FALSE(is_lower_hex("AB"));
  EXPECT_FALSE(is_lower_hex("0g"));
}

TEST(Text, HexReadsBackEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  EXPECT_EQ(to_hex("\x01\xFE"), "01fe");
}

TEST(Text, UniqueNamesDiffer) {
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) names.insert(unique_name());
  EXPECT_EQ(names.size(), 100u);
  EXPECT_EQ(names.begin()->size(), 32u);
}

}  // namespace
}  // namespace qbuild
