// Templates made to break the renderer: each is answered within 2 seconds and 200 MB, by its output
// or by one error with its place.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "templates/limits.h"
#include "templates/template.h"
#include "tests/base/bounded.h"

namespace qbuild::templates {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

Json list_of(std::size_t items) {
  Json list;
  for (std::size_t i = 0; i < items; ++i) list.push_back(static_cast<std::int64_t>(i + 1));
  return list;
}

// {"t": true, "s": "x", "l": [1, 2, ... 1000], "deep": [[[...[1]]]]}
Json document() {
  Json all;
  all["t"] = true;
  all["s"] = "x";
  all["l"] = list_of(1000);
  Json deep = list_of(1);
  for (int i = 0; i < 30; ++i) {
    Json around;
    around.push_back(std::move(deep));
    deep = std::move(around);
  }
  all["deep"] = std::move(deep);
  return all;
}

struct Hostile {
  std::string name;
  std::string (*text)();
  std::string answer;  // the error, or how long the output is
  // What every partial is; none if it is empty.
  std::string (*partial)() = nullptr;
  Strictness strictness = Strictness::kStrict;
};

void PrintTo(const Hostile& hostile, std::ostream* out) {
  *out << hostile.name;
}

std::string answer_to(const Hostile& hostile) {
  const std::string text = hostile.text();
  const std::string partial = hostile.partial == nullptr ? "" : hostile.partial();
  const Json about = document();
  const PartialLoader partials = [&](std::string_view) -> std::optional<std::string> {
    return hostile.partial == nullptr ? std::nullopt : std::optional<std::string>(partial);
  };
  const test::Cost cost = test::bounded([&] {
    try {
      const RenderOptions options{.escape = Escape::kNone, .strictness = hostile.strictness};
      const Rendered rendered =
          Template::parse(text, "t").render_explained(about, options, partials);
      return std::to_string(rendered.text.size()) + " bytes";
    } catch (const Error& error) {
      return error.message();
    }
  });
  EXPECT_EQ(cost.failure, "");
  EXPECT_LT(cost.cpu_seconds, 2.0);
  EXPECT_LT(cost.grown_mib, 190);  // 200 MB
  EXPECT_TRUE(is_utf8(cost.said));
  EXPECT_EQ(visible(cost.said), cost.said);
  return cost.said;
}

// A loop over the list in a loop over the list, a million turns.
std::string million(std::string_view body) {
  return "{{#each l}}{{#each @root.l}}" + std::string(body) + "{{/each}}{{/each}}";
}

const Hostile kRows[] = {
    // Size and nesting.
    {"HundredMegabytes", [] { return repeated("xxxx", 25'000'000); },
     "t: a template may have at most 1048576 bytes; this one has 100000000"},
    {"TextToTheLimit", [] { return std::string(kMaxTemplateBytes, 'x'); }, "1048576 bytes"},
    {"TagsWithoutEnd", [] { return repeated("{{s}}", kMaxTemplateBytes / 5); },
     "t:1:250001: a template may have at most 50000 tags and pieces of text"},
    {"TenThousandBlocks", [] { return repeated("{{#t}}", 10000) + repeated("{{/t}}", 10000); },
     "t:1:385: blocks are nested deeper than 64"},
    {"TenThousandElseIfs",
     [] { return "{{#if t}}" + repeated("{{else if t}}", 10000) + "{{/if}}"; },
     "t:1:829: blocks are nested deeper than 64"},
    {"OpeningsWithoutEnd", [] { return std::string(kMaxTemplateBytes, '{'); },
     R"(t:1:1: this tag is not closed; "}" is missing)"},
    {"ClosingsWithoutEnd", [] { return repeated("{{/t}}", 40000); },
     "t:1:1: {{/t}} closes nothing"},
    {"CommentsOnOneLine", [] { return repeated("{{!}}", kMaxTemplateBytes / 5); }, "0 bytes"},
    {"CommentsBetweenSpaces",
     [] { return repeated("{{!}}" + std::string(1000, ' '), kMaxTemplateBytes / 1005); },
     "1043000 bytes"},
    {"CommentsThatEatSpaceBehind", [] { return repeated("{{!----~}}", kMaxTemplateBytes / 10); },
     "0 bytes"},
    {"CommentsOfDashes", [] { return "{{!--" + std::string(kMaxTemplateBytes - 100, '-'); },
     R"(t:1:1: this tag is not closed; "--}}" is missing)"},
    {"ChangesOfDelimiters",
     [] { return repeated("{{=[[ ]]=}}[[={{ }}=]]", kMaxTemplateBytes / 22); }, "0 bytes"},
    {"DelimiterOfAMegabyte",
     [] { return "{{=" + std::string(kMaxTemplateBytes - 100, '[') + " ]]=}}"; },
     R"(t:1:1: delimiters are two words of at most 16 bytes without "=", as in {{=<% %>=}})"},
    {"NameOfAMegabyte", [] { return "{{" + std::string(kMaxTemplateBytes - 10, 'n') + "}}"; },
     "t:1:3: a name has at most 1024 bytes"},
    {"NameOfAHundredParts", [] { return "{{" + repeated("a.", 100) + "a}}"; },
     "t:1:3: a name has at most 32 parts"},
    {"PathThatClimbsAHundredTimes", [] { return "{{" + repeated("../", 100) + "a}}"; },
     R"(t:1:3: at most 32 "../")"},
    {"PartialOfAMegabyte", [] { return "{{> " + std::string(kMaxTemplateBytes - 100, 'p') + "}}"; },
     "t:1:1: the name of a partial has at most 256 bytes"},
    {"PartialBehindHalfAMegabyteOfSpaces",
     [] { return std::string(kMaxTemplateBytes / 2, ' ') + "{{> p}}\n"; },
     "t:1:524289: a partial is indented by at most 1024 characters",
     [] { return std::string("x"); }},
    // Work and output.
    {"LoopsWithoutABody", [] { return million("{{#each @root.l}}{{/each}}"); },
     "t:1:29: rendering takes more than 16777216 steps"},
    {"LoopsInLoops", [] { return million("{{#each @root.l}}{{#if .}}{{/if}}{{/each}}"); },
     "t:1:29: rendering takes more than 16777216 steps"},
    {"OutputWithoutEnd", [] { return million(std::string(1000, 'x')); },
     "t:1:29: the output is longer than 16777216 bytes"},
    {"LoopsWithALongLiteral",
     [] { return million("{{#if \"" + std::string(500'000, 'x') + "\"}}{{/if}}"); },
     "t:1:29: rendering takes more than 16777216 steps"},
    {"LoopsWithADeepPath",
     [] { return million("{{#if @root.deep" + repeated(".0", 30) + "}}{{/if}}"); },
     "t:1:12: rendering takes more than 16777216 steps"},
    {"LoopsBelowSixtyContexts",
     [] {
       return repeated("{{#with l}}", 60) + million("{{#if q | default 1}}{{/if}}") +
              repeated("{{/with}}", 60);
     },
     "t:1:689: rendering takes more than 16777216 steps"},
    {"PlacesAtTheEndOfALongLine",
     [] {
       std::string tags;
       for (int i = 0; i < 1000; ++i) tags += "{{l." + std::to_string(i) + "}}";
       return std::string(kMaxTemplateBytes - tags.size(), ' ') + tags;
     },
     "t:1:1040191: rendering takes more than 16777216 steps"},
    // Partials.
    {"PartialThatIncludesItself", [] { return std::string("{{> p}}"); },
     "p:1:1: blocks and partials are open 256 deep; does a partial include itself without end?",
     [] { return std::string("{{> p}}"); }},
    {"PartialThatIncludesItselfTwice", [] { return std::string("{{> p}}"); },
     "p:1:1: blocks and partials are open 256 deep; does a partial include itself without end?",
     [] { return std::string("{{> p}}{{> p}}"); }},
    {"PartialThatIncludesItselfDeeper", [] { return std::string("{{> p}}"); },
     "p:1:1: blocks and partials are open 256 deep; does a partial include itself without end?",
     [] { return std::string("x\n {{> p}}\nx\n"); }},
    {"PartialThatIncludesItselfInALoop", [] { return std::string("{{> p}}"); },
     "p:1:18: blocks and partials are open 256 deep; does a partial include itself without end?",
     [] { return std::string("{{#each @root.l}}{{> p}}{{/each}}"); }},
    {"PartialAtAThousandIndentations",
     [] {
       std::string text;
       for (std::size_t i = 1; i <= 1000; ++i) text += std::string(i, ' ') + "{{> p}}\n";
       return text;
     },
     "t:2:3: the partials have more than 50000 tags and pieces of text",
     [] { return repeated("{{s}}\n", 20000); }},
    {"AThousandPartialsOfManyTags",
     [] {
       std::string text;
       for (int i = 0; i < 1000; ++i) text += "{{> p" + std::to_string(i) + "}}";
       return text;
     },
     "t:1:17: the partials have more than 50000 tags and pieces of text",
     [] { return repeated("{{s}}", 20000); }},
    {"AThousandPartialsOfAMegabyte",
     [] {
       std::string text;
       for (int i = 0; i < 1000; ++i) text += "{{> p" + std::to_string(i) + "}}";
       return text;
     },
     "t:1:33: rendering takes more than 16777216 steps",
     [] { return "{{!" + std::string(1'000'000, 'x') + "}}"; }},
    {"AMillionUnknownPartials", [] { return million("{{> p}}"); },
     "t:1:29: rendering takes more than 16777216 steps", nullptr, Strictness::kLenient},
    // Bytes that are no text, and texts that are no answer.
    {"InvalidUtf8", [] { return std::string("a\n b{{a\xff}}"); }, "t:2:6: this is not UTF-8 text"},
    {"InvalidUtf8BehindAMegabyte",
     [] { return repeated("\u00f6", kMaxTemplateBytes / 2 - 1) + "\xc3"; },
     "t:1:524288: this is not UTF-8 text"},
    {"TerminalSequenceInAName", [] { return std::string("{{a\x1b[31mb}}"); },
     "t:1:3: \"a\\x1b[31mb\" is not a name"},
    {"TerminalSequenceInAPartialsName", [] { return std::string("{{> \x1b[2J}}"); },
     "t:1:1: there is no partial \"\\x1b[2J\""},
    {"NewLineInAName", [] { return std::string("{{a\nt:1:1: all is well}}"); },
     R"(t:1:3: cannot read "t:1:1: all is well" after "a"; there is only: name | default value)"},
    {"NulInAName", [] { return std::string("{{a\0b}}", 7); },
     "t:1:3: unknown variable \"a\\x00b\"; known here: t, s, l, deep"},
    {"ByteOrderMark", [] { return std::string("\xef\xbb\xbf{{s}}"); }, "1 bytes"},
};

class HostileTemplates : public testing::TestWithParam<Hostile> {};

TEST_P(HostileTemplates, AreAnsweredInBounds) {
  EXPECT_EQ(answer_to(GetParam()), GetParam().answer);
}

struct HostileName {
  std::string operator()(const testing::TestParamInfo<Hostile>& info) const {
    return info.param.name;
  }
};

INSTANTIATE_TEST_SUITE_P(Templates, HostileTemplates, testing::ValuesIn(kRows), HostileName());

TEST(HostileDocuments, AnUnknownNameAmongFiftyThousandIsToldInBounds) {
  std::string text = "{";
  for (int i = 0; i < 50000; ++i)
    text += "\"" + std::string(100, 'k') + std::to_string(i) + "\": 1, ";
  const Json about = Json::parse(text + "\"last\": 1}");
  const test::Cost cost = test::bounded([&] {
    try {
      return Template::parse("{{" + std::string(120, 'q') + "}}", "t").render(about);
    } catch (const Error& error) {
      return error.message();
    }
  });
  EXPECT_THAT(cost.said, testing::StartsWith("t:1:3: unknown variable \"qqqq"));
  EXPECT_LT(cost.cpu_seconds, 2.0);
}

}  // namespace
}  // namespace qbuild::templates
