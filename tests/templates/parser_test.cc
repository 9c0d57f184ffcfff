#include "templates/parser.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "templates/limits.h"

namespace qbuild::templates {
namespace {

std::string failure(std::string_view text, std::string_view indent = {}) {
  try {
    static_cast<void>(parse_program(text, "t", indent));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.message();
  }
  return "no error";
}

TEST(Parser, PutsNodesIntoTheBlocksAroundThem) {
  const Program program = parse_program("a{{#if b}}c{{else}}d{{/if}}e", "t");
  ASSERT_EQ(program.nodes.size(), 3U);
  const Node& block = program.nodes[1];
  EXPECT_EQ(block.kind, NodeKind::kIf);
  EXPECT_EQ(block.expression.value.text, "b");
  ASSERT_EQ(block.body.size(), 1U);
  EXPECT_EQ(block.body[0].text, "c");
  ASSERT_EQ(block.otherwise.size(), 1U);
  EXPECT_EQ(block.otherwise[0].text, "d");
}

TEST(Parser, NestsAChainOfConditionsThatOneTagCloses) {
  const Program program = parse_program("{{#if a}}1{{else if b}}2{{else}}3{{/if}}4", "t");
  ASSERT_EQ(program.nodes.size(), 2U);
  const Node& inner = program.nodes[0].otherwise.at(0);
  EXPECT_EQ(inner.kind, NodeKind::kIf);
  EXPECT_EQ(inner.expression.value.text, "b");
  EXPECT_EQ(inner.otherwise.at(0).text, "3");
}

TEST(Parser, TakesAHelperWithoutAValueForASection) {
  const Program program = parse_program("{{#each}}a{{/each}}{{#with | default 1}}b{{/with}}", "t");
  ASSERT_EQ(program.nodes.size(), 2U);
  EXPECT_EQ(program.nodes[0].kind, NodeKind::kSection);
  EXPECT_EQ(program.nodes[1].kind, NodeKind::kSection);
  EXPECT_TRUE(program.nodes[1].expression.fallback);
}

TEST(Parser, ReadsAQuotedNameOfAPartial) {
  EXPECT_EQ(parse_program("{{> \"a/b\"}}", "t").nodes[0].text, "a/b");
}

TEST(Parser, IndentsEveryLineThatIsNotEmpty) {
  const Program program = parse_program("a\n\nb\n", "t", "  ");
  EXPECT_EQ(program.text, "  a\n\n  b\n");
  EXPECT_EQ(program.indent_columns, 2U);
}

TEST(Parser, DoesNotCountTheIndentationInMessages) {
  EXPECT_EQ(failure("a\n{{/b}}", "    "), "t:2:1: {{/b}} closes nothing");
}

TEST(Parser, SaysWhichBlockIsNotClosed) {
  EXPECT_EQ(failure("a\n {{#if b}}"), "t:2:2: {{#if}} is not closed; {{/if}} is missing");
  EXPECT_EQ(failure("{{#a.b}}"), "t:1:1: {{#a.b}} is not closed; {{/a.b}} is missing");
  EXPECT_EQ(failure("{{^a}}"), "t:1:1: {{^a}} is not closed; {{/a}} is missing");
}

TEST(Parser, SaysWhichBlockAWrongEndShouldClose) {
  EXPECT_EQ(failure("{{#if a}}\n{{/each}}"),
            "t:2:1: {{/each}} stands where {{/if}} should close the {{#if}} of t:1:1");
  EXPECT_EQ(failure("x{{/if}}"), "t:1:2: {{/if}} closes nothing");
}

TEST(Parser, RefusesAnElseThatBelongsNowhere) {
  EXPECT_EQ(failure("a{{else}}b"), "t:1:2: {{else}} stands outside a block");
  EXPECT_EQ(failure("{{#if a}}{{else}}{{else}}{{/if}}"), "t:1:18: {{#if}} has a second {{else}}");
  EXPECT_EQ(failure("{{#if a}}{{else b}}{{/if}}"),
            "t:1:10: {{else}} is followed by nothing, or by if, unless, each or with and a value");
}

TEST(Parser, NamesTheNearestHelper) {
  EXPECT_EQ(failure("{{#eahc a}}{{/eahc}}"),
            "t:1:4: unknown helper \"eahc\"; did you mean \"each\"?");
  EXPECT_EQ(failure("{{#repeat a}}{{/repeat}}"),
            "t:1:4: unknown helper \"repeat\"; there are if, unless, each and with");
}

TEST(Parser, PlacesErrorsInExpressions) {
  EXPECT_EQ(failure("a\nb {{ x y }}"),
            "t:2:6: cannot read \"y\" after \"x\"; there is only: name | default value");
  EXPECT_EQ(failure("{{#if a..b}}{{/if}}"), "t:1:7: \"a..b\" is not a name");
  EXPECT_EQ(failure("{{}}"), "t:1:1: there is no name in this tag");
}

TEST(Parser, RefusesPartialsWithArgumentsOrWithoutAName) {
  EXPECT_EQ(failure("{{> a b}}"), "t:1:1: a partial takes no arguments: cannot read \"a b\"");
  EXPECT_EQ(failure("{{> }}"), "t:1:1: there is no name in this tag");
}

TEST(Parser, BoundsTheNestingOfBlocks) {
  std::string text;
  for (std::size_t i = 0; i < kMaxBlockDepth; ++i) text += "{{#a}}";
  std::string ends;
  for (std::size_t i = 0; i < kMaxBlockDepth; ++i) ends += "{{/a}}";
  EXPECT_EQ(failure(text + ends), "no error");
  EXPECT_EQ(failure(text + "{{#a}}{{/a}}" + ends), "t:1:385: blocks are nested deeper than 64");
}

TEST(Parser, BoundsAChainOfConditions) {
  std::string text = "{{#if a}}";
  for (int i = 0; i < 1000; ++i) text += "{{else if a}}";
  EXPECT_EQ(failure(text + "{{/if}}"), "t:1:829: blocks are nested deeper than 64");
}

TEST(Parser, RefusesAnIndentationThatMakesTheTextTooLong) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "a\n";
  EXPECT_EQ(
      failure(lines, std::string(100000, ' ')),
      "t: a template may have at most 1048576 bytes; this one has more once it is indented by "
      "100000");
}

TEST(Parser, LeavesOutAByteOrderMark) {
  const Program program = parse_program("\xef\xbb\xbf{{a}}", "t");
  ASSERT_EQ(program.nodes.size(), 1U);
  EXPECT_EQ(program.nodes[0].offset, 0U);
}

TEST(Parser, BoundsTheNameAndTheIndentationOfAPartial) {
  EXPECT_EQ(failure("{{> " + std::string(kMaxPartialNameBytes, 'p') + "}}"), "no error");
  EXPECT_EQ(failure("{{> " + std::string(kMaxPartialNameBytes + 1, 'p') + "}}"),
            "t:1:1: the name of a partial has at most 256 bytes");
  EXPECT_EQ(failure(std::string(kMaxIndentBytes, ' ') + "{{> p}}"), "no error");
  EXPECT_EQ(failure(std::string(kMaxIndentBytes + 1, ' ') + "{{> p}}"),
            "t:1:1026: a partial is indented by at most 1024 characters");
}

TEST(Parser, CountsWhatTheNodesWereMadeOf) {
  EXPECT_EQ(parse_program("a{{#b}}c{{/b}}{{! d }}", "t").token_count, 4U);
}

}  // namespace
}  // namespace qbuild::templates
