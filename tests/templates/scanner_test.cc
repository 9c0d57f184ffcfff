#include "templates/scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "templates/limits.h"

namespace qbuild::templates {
namespace {

// "text|kind:content" for each token, so that a case fits on a line.
std::string scanned(std::string_view text) {
  std::string out;
  for (const Token& token : scan(text, "t")) {
    static constexpr std::string_view kSigns = "_vr#^e/>";
    out += '[';
    if (token.kind != TokenKind::kText) {
      out += kSigns[static_cast<std::size_t>(token.kind)];
      out += ' ';
    }
    out += token.content;
    out += ']';
  }
  return out;
}

std::string failure(std::string_view text) {
  try {
    static_cast<void>(scan(text, "t"));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.message();
  }
  return "no error";
}

TEST(Scanner, TellsTheKindsOfTagsApart) {
  EXPECT_EQ(scanned("a{{b}}{{{c}}}{{& d }}{{# e}}{{^f}}{{else}}{{/g}}{{> h}}i"),
            "[a][v b][r c][r d][# e][^ f][e ][/ g][> h][i]");
}

TEST(Scanner, ReadsElseWithACondition) {
  EXPECT_EQ(scanned("x{{else if y}}{{elsewhere}}{{^}}"), "[x][e if y][v elsewhere][e ]");
}

TEST(Scanner, TakesALineThatHoldsOnlyATag) {
  EXPECT_EQ(scanned("a\n  {{#b}}  \nc\r\n\t{{/b}}\r\nd"), "[a\n][# b][c\r\n][/ b][d]");
}

TEST(Scanner, LeavesALineThatHoldsTwoTags) {
  EXPECT_EQ(scanned("  {{#b}}{{/b}}\n"), "[  ][# b][/ b][\n]");
}

TEST(Scanner, NeverTakesALineForAVariable) {
  EXPECT_EQ(scanned(" {{b}} \n"), "[ ][v b][ \n]");
}

TEST(Scanner, KeepsTheIndentationOfAPartialAloneOnItsLine) {
  const auto tokens = scan("a\n \t{{> b}}\n", "t");
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[1].indent, " \t");
  EXPECT_EQ(scan("a {{> b}}\n", "t")[1].indent, "");
}

TEST(Scanner, EatsWhiteSpaceBesideATilde) {
  EXPECT_EQ(scanned("a \n {{~b~}} \n\n c"), "[a][v b][c]");
  EXPECT_EQ(scanned("a {{~{b}~}} c"), "[a][r b][c]");
  EXPECT_EQ(scanned("a {{~! x ~}} c{{~!-- y --~}} d"), "[a][c][d]");
}

TEST(Scanner, FindsALoneTagBehindSpaceThatATildeAte) {
  EXPECT_EQ(scanned("{{a~}}\n  {{#b}}\nc"), "[v a][# b][c]");
}

TEST(Scanner, LetsADashedCommentHoldTags) {
  EXPECT_EQ(scanned("a{{!-- {{b}} --}}c"), "[a][c]");
}

TEST(Scanner, EndsADashedCommentAtTheFirstOfItsTwoEnds) {
  EXPECT_EQ(scanned("a{{!-- x --}} b {{!-- y --~}} c"), "[a][ b ][c]");
}

TEST(Scanner, ChangesDelimiters) {
  EXPECT_EQ(scanned("{{a}}{{=<% %>=}}{{b}}<%c%><%={{ }}=%>{{d}}"), "[v a][{{b}}][v c][v d]");
}

TEST(Scanner, SaysWhereATagBeganThatIsNotClosed) {
  EXPECT_EQ(failure("ab\n {{name"), "t:2:2: this tag is not closed; \"}}\" is missing");
  EXPECT_EQ(failure("{{{name}}"), "t:1:1: this tag is not closed; \"}}}\" is missing");
  EXPECT_EQ(failure("{{!-- name }}"), "t:1:1: this tag is not closed; \"--}}\" is missing");
  EXPECT_EQ(failure("{{={ }"), "t:1:1: this tag is not closed; \"=}}\" is missing");
}

TEST(Scanner, RefusesMalformedDelimiters) {
  const std::string expected =
      "t:1:1: delimiters are two words of at most 16 bytes without \"=\", as in {{=<% %>=}}";
  EXPECT_EQ(failure("{{=<%=}}"), expected);
  EXPECT_EQ(failure("{{==}}"), expected);
  EXPECT_EQ(failure("{{=a b c=}}"), expected);
  EXPECT_EQ(failure("{{=a= b=}}"), expected);
  EXPECT_EQ(failure("{{=" + std::string(17, '<') + " >=}}"), expected);
}

TEST(Scanner, FailsOrSucceedsButNeverReadsPastAnyPrefix) {
  const std::string text =
      "a{{b}}\n {{#c}}\n{{{d}}}{{!-- x --}}{{=<% %>=}}<%/c%><%={{ }}=%>{{> e}}{{~f~}}";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    // A copy of its own lets the address sanitizer see a read behind the end.
    const std::string prefix = text.substr(0, length);
    try {
      for (const Token& token : scan(prefix, "t"))
        EXPECT_LE(token.content_offset + token.content.size(), prefix.size());
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), testing::HasSubstr("is not closed"));
    }
  }
}

TEST(Scanner, RefusesATextBeyondTheLimit) {
  EXPECT_EQ(failure(std::string(kMaxTemplateBytes + 1, 'a')),
            "t: a template may have at most 1048576 bytes; this one has 1048577");
}

TEST(Scanner, MakesNothingOfNothing) {
  EXPECT_TRUE(scan("", "t").empty());
}

TEST(Scanner, RefusesMoreTagsThanTheLimit) {
  std::string text;
  for (std::size_t i = 0; i < kMaxTokens; ++i) text += "{{a}}";
  EXPECT_EQ(scan(text, "t").size(), kMaxTokens);
  EXPECT_EQ(failure(text + "{{a}}"),
            "t:1:250001: a template may have at most 50000 tags and pieces of text");
}

TEST(Scanner, SaysWhereATextIsNotUtf8) {
  EXPECT_EQ(failure("ab\nc\u00f6\xff"), "t:2:3: this is not UTF-8 text");
  EXPECT_EQ(failure("\u20ac\xe2\x82"), "t:1:2: this is not UTF-8 text");
  EXPECT_EQ(failure("\xc0\xaf"), "t:1:1: this is not UTF-8 text");
  std::string at_a_seam(4094, 'a');
  at_a_seam += "\U0001f600";
  EXPECT_EQ(scan(at_a_seam, "t").size(), 1U);
  EXPECT_EQ(failure(at_a_seam + "\x80"), "t:1:4095: this is not UTF-8 text");
}

TEST(Scanner, LooksForTheEndOfADashedCommentAmongDashes) {
  EXPECT_EQ(scanned("a{{!------}}b{{!-- -- -~ --- }} --~}} c"), "[a][b][c]");
}

}  // namespace
}  // namespace qbuild::templates
