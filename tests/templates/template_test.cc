// What a user sees of templates: strict mode, partials, escaping, limits and the wording of errors.

#include "templates/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/error.h"
#include "templates/limits.h"

namespace qbuild::templates {
namespace {

using Partials = std::map<std::string, std::string, std::less<>>;

PartialLoader loader(Partials partials) {
  return [partials](std::string_view name) -> std::optional<std::string> {
    const auto found = partials.find(name);
    if (found == partials.end()) return std::nullopt;
    return found->second;
  };
}

struct Failure {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message = "no error";
};

Failure failure(std::string_view text, std::string_view document, const Partials& partials = {}) {
  try {
    static_cast<void>(
        Template::parse(text, "card.md").render(Json::parse(document), {}, loader(partials)));
  } catch (const Error& error) {
    return {error.kind(), error.message()};
  }
  return {};
}

TEST(Template, NamesPlaceAndNearestNameOfAnUnknownVariable) {
  const Failure seen = failure("# {{model.name}}\n\n| {{perplexty}} |",
                               R"({"model": {"name": "a"}, "perplexity": 1})");
  EXPECT_EQ(seen.message,
            "card.md:3:5: unknown variable \"perplexty\"; did you mean \"perplexity\"?");
  EXPECT_EQ(seen.kind, ErrorKind::kInvalidInput);
}

TEST(Template, RefusesUnknownNamesInConditionsAndLoopsToo) {
  for (const std::string_view text :
       {"{{#if nme}}{{/if}}", "{{#unless nme}}{{/unless}}", "{{#each nme}}{{/each}}",
        "{{#with nme}}{{/with}}", "{{#nme}}{{/nme}}", "{{^nme}}{{/nme}}"})
    EXPECT_THAT(failure(text, R"({"name": 1})").message,
                testing::HasSubstr("unknown variable \"nme\"; did you mean \"name\"?"))
        << text;
}

TEST(Template, RefusesAnUnknownNameAsADefault) {
  EXPECT_EQ(failure("{{a | default b}}", R"({"a": null})").message,
            "card.md:1:15: unknown variable \"b\"; known here: a");
}

TEST(Template, RefusesToLeaveACellEmptyForNull) {
  EXPECT_EQ(
      failure("{{#with v}}{{speed}}{{/with}}", R"({"v": {"speed": null}})").message,
      "card.md:1:14: \"speed\" is null; test it with {{#if speed}}, or write {{speed | default "
      "\"n/a\"}}");
}

TEST(Template, RefusesToWriteAContainer) {
  EXPECT_EQ(failure("{{v}}", R"({"v": [1]})").message,
            "card.md:1:3: \"v\" is a list and has no text; go through it with {{#each v}}");
  EXPECT_EQ(failure("{{v}}", R"({"v": {"a": 1}})").message,
            "card.md:1:3: \"v\" is a mapping and has no text; go through it with {{#each v}}");
}

TEST(Template, RefusesToLoopOverAText) {
  EXPECT_EQ(failure("{{#each v}}{{/each}}", R"({"v": "abc"})").message,
            "card.md:1:9: \"v\" is a text; {{#each}} needs a list or a mapping");
}

TEST(Template, RefusesAnUnknownPartial) {
  EXPECT_EQ(failure("a\n{{> tabel}}", "{}").message, "card.md:2:1: there is no partial \"tabel\"");
}

TEST(Template, PlacesAnErrorInAPartialInThePartial) {
  EXPECT_EQ(failure("a\n   {{> p}}\n", R"({"b": 1})", {{"p", "x\n {{c}}\n"}}).message,
            "p:2:4: unknown variable \"c\"; known here: b");
  EXPECT_EQ(failure("{{> p}}", "{}", {{"p", "{{#if a}}"}}).message,
            "p:1:1: {{#if}} is not closed; {{/if}} is missing");
}

TEST(Template, EscapesOnlyWhenAskedTo) {
  const Template one = Template::parse("{{a}} {{{a}}}", "t");
  const Json document = Json::parse(R"({"a": "<&>\"'"})");
  EXPECT_EQ(one.render(document), "<&>\"' <&>\"'");
  EXPECT_EQ(one.render(document, {.escape = Escape::kHtml, .strictness = Strictness::kStrict}),
            "&lt;&amp;&gt;&quot;' <&>\"'");
}

TEST(Template, LoadsAPartialOnceForEachIndentation) {
  int loads = 0;
  const PartialLoader counting = [&](std::string_view) -> std::optional<std::string> {
    ++loads;
    return "x\n";
  };
  const Template one = Template::parse("{{#l}}\n{{> p}}\n  {{> p}}\n{{/l}}\n", "t");
  EXPECT_EQ(one.render(Json::parse(R"({"l": [1, 2, 3]})"), {}, counting),
            "x\n  x\nx\n  x\nx\n  x\n");
  EXPECT_EQ(loads, 2);
}

TEST(Template, NamesThePartialsOfItsText) {
  EXPECT_EQ(
      Template::parse("{{> b}}{{#x}}{{> a}}{{else}}{{> c}}{{/x}}{{> b}}", "t").partial_names(),
      (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Template, StopsAPartialThatIncludesItselfWithoutEnd) {
  const Failure seen = failure("{{> p}}", "{}", {{"p", "a\n {{> p}}\n"}});
  EXPECT_EQ(
      seen.message,
      "p:1:1: blocks and partials are open 256 deep; does a partial include itself without end?");
  EXPECT_EQ(seen.kind, ErrorKind::kExhausted);
}

TEST(Template, StopsPartialsThatDoubleAtEachLevel) {
  Partials partials;
  for (int i = 0; i < 60; ++i) {
    const std::string next = "{{> p" + std::to_string(i + 1) + "}}";
    partials["p" + std::to_string(i)] = next + next;
  }
  partials["p60"] = "{{#if a}}{{/if}}";
  const Failure seen = failure("{{> p0}}", R"({"a": 0})", partials);
  EXPECT_THAT(seen.message, testing::HasSubstr("rendering takes more than 16777216 steps"));
  EXPECT_EQ(seen.kind, ErrorKind::kExhausted);
}

TEST(Template, BoundsTheOutput) {
  Json document;
  document["t"] = std::string(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 17; ++i) document["l"].push_back(i);
  try {
    static_cast<void>(Template::parse("{{#l}}{{t}}{{/l}}", "t").render(document));
    FAIL() << "rendered more than the limit";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "t:1:7: the output is longer than 16777216 bytes");
    EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  }
}

TEST(Template, RendersTheSameTemplateAgain) {
  const Template one = Template::parse("{{a}}", "t");
  EXPECT_EQ(one.name(), "t");
  EXPECT_EQ(one.render(Json::parse(R"({"a": 1})")), "1");
  EXPECT_EQ(one.render(Json::parse(R"({"a": 2})")), "2");
}

TEST(Template, ExplainsAndRendersTheSameText) {
  const Json document = Json::parse(R"({"a": 1})");
  const Template one = Template::parse("[{{a}}{{a}}]", "t");
  const Rendered result = one.render_explained(document);
  EXPECT_EQ(result.text, one.render(document));
  ASSERT_EQ(result.used.size(), 1U);
  EXPECT_EQ(result.used[0].path, "a");
}

}  // namespace
}  // namespace qbuild::templates
