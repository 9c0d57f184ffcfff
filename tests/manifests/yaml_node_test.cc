#include "manifests/yaml_node.h"

#include <gtest/gtest.h>

namespace qbuild::manifests {
namespace {

YamlNode plain(const std::string& text) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = text;
  return node;
}

YamlNode parsed(const std::string& text) {
  Diagnostics diagnostics;
  TreeSize size;
  return parse_yaml(text, diagnostics.add_file({"/a.yaml", "a.yaml"}), size, diagnostics).value();
}

TEST(YamlScalar, NumbersFollowTheCoreSchema) {
  EXPECT_EQ(plain("42").as_whole(), 42);
  EXPECT_EQ(plain("-7").as_whole(), -7);
  EXPECT_EQ(plain("+7").as_whole(), 7);
  EXPECT_EQ(plain("9223372036854775808").as_whole(), std::nullopt);
  EXPECT_EQ(plain("1.5").as_whole(), std::nullopt);
  EXPECT_EQ(plain("1.5").as_number(), 1.5);
  EXPECT_EQ(plain(".5").as_number(), 0.5);
  EXPECT_EQ(plain("1e3").as_number(), 1000.0);
  EXPECT_EQ(plain("1e999").as_number(), std::nullopt);
  for (const char* const text :
       {"", "-", ".", "1.2.3", "0x10", "1e", "1_000", ".inf", ".nan", "1 2"}) {
    EXPECT_EQ(plain(text).as_number(), std::nullopt) << text;
    EXPECT_TRUE(plain(text).is_text()) << text;
  }
}

TEST(YamlScalar, OnlyTrueAndFalseAreTruthValues) {
  EXPECT_EQ(plain("true").as_bool(), true);
  EXPECT_EQ(plain("FALSE").as_bool(), false);
  for (const char* const text : {"yes", "no", "on", "off", "tRue"})
    EXPECT_TRUE(plain(text).is_text()) << text;
}

TEST(YamlLine, IsReadBackAsTheSameTree) {
  for (const char* const text :
       {"{a: 1, b: [x, \"y z\", true]}",
        "[\"1\", 1, \"true\", \"null\", \"\", \"-\", \"#x\", \"a: b\"]",
        "{\"odd key\": [{a: b}, [c]], d: null}", R"(["\"", "\\", "\n\t", "{model}", "Größe"])"}) {
    const std::string line = one_line(parsed(text));
    EXPECT_EQ(line, one_line(parsed(line))) << text;
  }
  EXPECT_EQ(one_line(parsed("a:\n  - 1\n  - '1'\n  - x y\n")), "{a: [1, \"1\", \"x y\"]}");
}

TEST(YamlNode, FindsMembersOfMappingsOnly) {
  EXPECT_EQ(parsed("{a: x}").find("a")->text, "x");
  EXPECT_EQ(parsed("{a: x}").find("b"), nullptr);
  EXPECT_EQ(parsed("[a]").find("a"), nullptr);
}

TEST(YamlNode, CountsItsNodes) {
  EXPECT_EQ(count_nodes(parsed("{a: [1, 2], b: {c: d}}")), 6u);
  EXPECT_GT(weight(parsed("[aaaaaaaaaaaaaaaa]")), weight(parsed("[a]")));
}

TEST(Quote, ShortensAndEscapes) {
  EXPECT_EQ(quote("abc"), "\"abc\"");
  EXPECT_EQ(quote("a\tb\n"), "\"a\\x09b\\x0a\"");
  EXPECT_EQ(quote(std::string(61, 'x')), "\"" + std::string(60, 'x') + "...\"");
  // A character is not cut in two.
  const std::string umlauts = quote(std::string(59, 'x') + "\xc3\xa4\xc3\xa4");
  EXPECT_EQ(umlauts, "\"" + std::string(59, 'x') + "\xc3\xa4...\"");
}

}  // namespace
}  // namespace qbuild::manifests
