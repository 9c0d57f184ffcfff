#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/yaml_node.h"
#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

using testing::HasSubstr;

std::optional<YamlNode> parse(const std::string& text, Diagnostics& diagnostics) {
  const std::uint32_t file = diagnostics.add_file({"/p/a.yaml", "a.yaml"});
  TreeSize size;
  return parse_yaml(text, file, size, diagnostics);
}

std::string refusal(const std::string& text) {
  Diagnostics diagnostics;
  EXPECT_FALSE(parse(text, diagnostics));
  const std::vector<Diagnostic> found = diagnostics.sorted();
  return format(std::span<const Diagnostic>(found));
}

TEST(ParseYaml, EveryNodeHasItsPlace) {
  Diagnostics diagnostics;
  const auto root = parse("a: 1\nb:\n  - x\n  - {c: y}\n", diagnostics);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->members.at(1).at, (Place{0, 2, 1}));
  const YamlNode* const b = root->find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->at, (Place{0, 3, 3}));
  EXPECT_EQ(b->items.at(0).at, (Place{0, 3, 5}));
  EXPECT_EQ(b->items.at(1).at, (Place{0, 4, 5}));
  EXPECT_EQ(b->items.at(1).members.at(0).value.at, (Place{0, 4, 9}));
}

TEST(ParseYaml, AByteOrderMarkAndWindowsLinesCountForNothing) {
  Diagnostics diagnostics;
  const auto root = parse(
      "\xef\xbb\xbf"
      "a: 1\r\nb: 2\r\n",
      diagnostics);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->members.at(0).at, (Place{0, 1, 1}));
  EXPECT_EQ(root->members.at(1).at, (Place{0, 2, 1}));
  EXPECT_EQ(root->members.at(0).value.text, "1");
}

TEST(ParseYaml, AnAliasIsACopyThatStandsWhereTheOriginalStands) {
  Diagnostics diagnostics;
  const auto root = parse("a: &x [1]\nb: *x\n", diagnostics);
  ASSERT_TRUE(root);
  ASSERT_EQ(root->find("b")->items.size(), 1u);
  EXPECT_EQ(root->find("b")->items[0].at.line, 1u);
}

TEST(ParseYaml, QuotesMakeText) {
  Diagnostics diagnostics;
  const auto root = parse("a: '1'\nb: \"true\"\nc: 1\nd: true\n", diagnostics);
  ASSERT_TRUE(root);
  EXPECT_TRUE(root->find("a")->is_text());
  EXPECT_TRUE(root->find("b")->is_text());
  EXPECT_FALSE(root->find("c")->is_text());
  EXPECT_FALSE(root->find("d")->is_text());
}

TEST(ParseYaml, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(refusal("a: 1\nb: \xff\n"), "a.yaml:2:4: this is not UTF-8 text");
  EXPECT_EQ(refusal("a: \xc0\xaf\n"), "a.yaml:1:4: this is not UTF-8 text");          // overlong
  EXPECT_EQ(refusal("a: \xed\xa0\x80\n"), "a.yaml:1:4: this is not UTF-8 text");      // surrogate
  EXPECT_EQ(refusal("a: \xf4\x90\x80\x80\n"), "a.yaml:1:4: this is not UTF-8 text");  // too large
  EXPECT_EQ(refusal("a: \xe2\x82"), "a.yaml:1:4: this is not UTF-8 text");            // cut off
}

TEST(ParseYaml, RefusesDeepNesting) {
  const std::string open(100, '[');
  const std::string closed(100, ']');
  EXPECT_THAT(refusal("a: " + open + "x" + closed + "\n"),
              HasSubstr("nested deeper than 64 levels"));
  std::string dashes;
  for (int i = 0; i < 5000; ++i) dashes += "- ";
  EXPECT_THAT(refusal(dashes + "x\n"), HasSubstr("nested deeper than 64 levels"));
  EXPECT_NE(refusal("a: " + std::string(100000, '[')), "");
  EXPECT_NE(refusal("a: " + std::string(100000, '{')), "");
}

TEST(ParseYaml, AColumnIsCountedAlsoWhereTheMarksGoBack) {
  Diagnostics diagnostics;
  const auto root = parse("{größe: [ä, {ö: ü}], b: c}\n", diagnostics);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->at, (Place{0, 1, 1}));
  EXPECT_EQ(root->members.at(0).at, (Place{0, 1, 2}));
  EXPECT_EQ(root->members.at(0).value.items.at(1).members.at(0).value.at, (Place{0, 1, 17}));
  EXPECT_EQ(root->members.at(1).at, (Place{0, 1, 22}));
}

TEST(ParseYaml, RefusesMoreValuesThanAnybodyWrites) {
  std::string many = "a: [";
  for (int i = 0; i < 100001; ++i) many += "1,";
  EXPECT_THAT(refusal(many + "1]\n"), HasSubstr("more than 100000 values"));
}

TEST(ParseYaml, RefusesAliasesThatMultiply) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string below = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += "*a" + below + ",";
    bomb += "]\n";
  }
  EXPECT_THAT(refusal(bomb), HasSubstr("more than 100000 values"));
}

TEST(ParseYaml, RefusesNestedAnchorsThatCopyALot) {
  std::string text = "a: ";
  for (int i = 0; i < 50; ++i) text += "&x" + std::to_string(i) + " [";
  for (int i = 0; i < 5000; ++i) text += "1,";
  text += std::string(50, ']') + "\n";
  EXPECT_THAT(refusal(text), HasSubstr("more than 100000 values"));
}

TEST(ParseYaml, RefusesAnAliasInsideOfItself) {
  EXPECT_THAT(refusal("a: &x [*x]\n"),
              HasSubstr("a.yaml:1:8: an alias inside of what it stands for"));
}

TEST(ParseYaml, EveryTruncationIsRefusedOrATree) {
  const std::string whole = "version: 1\nmodels:\n  a: {source: \"t\", quants: [&x Q8_0, *x]}\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Diagnostics diagnostics;
    const auto root = parse(whole.substr(0, size), diagnostics);
    EXPECT_EQ(root.has_value(), diagnostics.empty()) << size;
  }
}

const BrokenManifest kBroken[] = {
    {"DuplicateKey",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0]}
  a: {source: small, quants: [Q8_0]}
)",
     R"(qbuild.yaml:4:3: duplicate key "a"; the first one is at qbuild.yaml:3:3)"},
    {"DuplicateKeyFarBelow",
     R"(version: 1
models:
  a:
    source: tiny
    quants: [Q8_0]
    source: small
)",
     R"(qbuild.yaml:6:5: duplicate key "source"; the first one is at qbuild.yaml:4:5)"},
    {"BracesInFlow",
     R"(version: 1
models:
  a:
    source: tiny
    quants: [Q8_0]
    publish: {repo: acme/{model}-GGUF}
)",
     "qbuild.yaml:6:26: this is not YAML: end of map flow not found; a value with a variable such "
     "as {model} must stand in quotes"},
    {"BracesInBlock",
     R"(version: 1
models:
  a:
    source: tiny
    quants: [Q8_0]
    publish:
      repo: {model}-GGUF
)",
     "qbuild.yaml:7:20: this is not YAML: end of map not found; a value with a variable such as "
     "{model} must stand in quotes"},
    {"OpenBrace",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0]
)",
     "qbuild.yaml:4:1: this is not YAML: end of map flow not found"},
    {"SecondDocument",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0]}
---
version: 1
)",
     "qbuild.yaml:4:1: a manifest is one document, and here begins a second one"},
    {"Tag",
     R"(version: !!int 1
)",
     R"(qbuild.yaml:1:10: the tag "tag:yaml.org,2002:int": tags are not read; leave it out)"},
    {"MergeKey",
     R"(version: 1
models:
  a: &x {source: tiny, quants: [Q8_0]}
  b: {<<: *x}
)",
     "qbuild.yaml:4:7: merge keys (<<) are not read; use defaults or include"},
    {"ListAsKey",
     R"(version: 1
? [a]
: b
)",
     "qbuild.yaml:2:3: a key must be text, not a list or a mapping"},
    {"NothingAsKey",
     R"(version: 1
~: b
)",
     "qbuild.yaml:2:1: a key must be text"},
    {"Tab",
     R"(version: 1
models:
	a: 1
)",
     "qbuild.yaml:3:3: this is not YAML: illegal map value; lines are indented by spaces, not by "
     "tabs"},
    {"UnknownAlias",
     R"(version: 1
models:
  a: {source: *nope, quants: [Q8_0]}
)",
     "qbuild.yaml:3:15: this is not YAML: the referenced anchor is not defined"},
    {"OpenQuote",
     R"(version: 1
models:
  a: {source: "tiny
)",
     "qbuild.yaml:4:1: this is not YAML: end of map flow not found"},
    {"ColumnInCharacters",
     R"(version: 1
models:
  a: {source: tiny, license: {accept: Größe, reason: ok, x: 1}, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:58: unknown key in a licence override: "x"; known: accept, reason)"},
};

class YamlErrors : public BrokenManifestTest {};

TEST_P(YamlErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, YamlErrors, testing::ValuesIn(kBroken), BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
