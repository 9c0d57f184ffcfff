// What the language means beyond the public specification. Errors and limits are in
// template_test.cc.

#include "templates/renderer.h"

#include <gtest/gtest.h>

#include <string>

#include "templates/parser.h"

namespace qbuild::templates {
namespace {

std::string rendered(std::string_view text, std::string_view document,
                     Strictness strictness = Strictness::kStrict) {
  const RenderOptions options{.escape = Escape::kNone, .strictness = strictness};
  return render_program(parse_program(text, "t"), Json::parse(document), options, {}, Explain::kNo)
      .text;
}

TEST(Renderer, ChoosesOneBranchOfAChain) {
  constexpr std::string_view kText = "{{#if a}}1{{else if b}}2{{else unless c}}3{{else}}4{{/if}}";
  EXPECT_EQ(rendered(kText, R"({"a": true, "b": true, "c": true})"), "1");
  EXPECT_EQ(rendered(kText, R"({"a": false, "b": true, "c": true})"), "2");
  EXPECT_EQ(rendered(kText, R"({"a": false, "b": false, "c": false})"), "3");
  EXPECT_EQ(rendered(kText, R"({"a": false, "b": false, "c": true})"), "4");
}

TEST(Renderer, HasOneNotionOfTruth) {
  constexpr std::string_view kText =
      "{{#if x}}if{{/if}}{{#unless x}}unless{{/unless}}{{^x}}^{{/x}}";
  for (const std::string_view value : {"false", "null", "0", "0.0", "\"\"", "[]"})
    EXPECT_EQ(rendered(kText, R"({"x": )" + std::string(value) + "}"), "unless^") << value;
  for (const std::string_view value : {"true", "1", "\"0\"", "[0]", "{}"})
    EXPECT_EQ(rendered(kText, R"({"x": )" + std::string(value) + "}"), "if") << value;
}

TEST(Renderer, KeepsTheContextInAConditionAndChangesItInWith) {
  EXPECT_EQ(rendered("{{#if a}}{{n}}{{/if}}{{#with a}}{{n}}{{../n}}{{/with}}",
                     R"({"n": "out", "a": {"n": "in"}})"),
            "outinout");
}

TEST(Renderer, TakesElseOfWithAndOfASectionIfTheValueIsNotTrue) {
  EXPECT_EQ(rendered("{{#with a}}1{{else}}2{{/with}}{{#b}}3{{else}}4{{/b}}{{^c}}5{{else}}6{{/c}}",
                     R"({"a": null, "b": [], "c": 1})"),
            "246");
}

TEST(Renderer, LoopsOverAListWithItsPositions) {
  EXPECT_EQ(rendered("{{#each l}}{{@index}}{{#if @first}}<{{/if}}{{this}}{{#unless @last}}, "
                     "{{/unless}}{{/each}}",
                     R"({"l": ["a", "b", "c"]})"),
            "0<a, 1b, 2c");
}

TEST(Renderer, LoopsOverAMappingInItsOrderWithKeys) {
  EXPECT_EQ(rendered("{{#each m}}{{@key}}={{.}};{{/each}}", R"({"m": {"z": 1, "a": 2}})"),
            "z=1;a=2;");
}

TEST(Renderer, TakesElseOfEachForAnEmptyListAnEmptyMappingAndNull) {
  for (const std::string_view value : {"[]", "{}", "null"})
    EXPECT_EQ(rendered("{{#each x}}a{{else}}none{{/each}}", R"({"x": )" + std::string(value) + "}"),
              "none");
}

TEST(Renderer, ReachesTheLoopAroundByStepsOutwards) {
  EXPECT_EQ(rendered("{{#each l}}{{#each m}}{{../n}}{{this}} {{/each}}{{/each}}",
                     R"({"l": [{"n": "a", "m": [1, 2]}, {"n": "b", "m": [3]}]})"),
            "a1 a2 b3 ");
}

TEST(Renderer, LetsADefaultStandInForUnknownAndNull) {
  EXPECT_EQ(
      rendered(
          "{{a | default \"n/a\"}},{{b | default 7}},{{c | default \"x\"}},{{d.e | default f}}",
          R"({"b": null, "c": "", "d": {}, "f": "other"})"),
      "n/a,7,,other");
}

TEST(Renderer, LetsADefaultDecideACondition) {
  EXPECT_EQ(
      rendered("{{#if a | default false}}1{{else}}2{{/if}}{{#each l | default m}}{{.}}{{/each}}",
               R"({"m": [3, 4]})"),
      "234");
}

TEST(Renderer, WritesNumbersAsTheyRead) {
  EXPECT_EQ(
      rendered("{{a}} {{b}} {{c}} {{d}}", R"({"a": 12345678901, "b": 0.1, "c": -3, "d": true})"),
      "12345678901 0.1 -3 true");
}

TEST(Renderer, WritesNothingForUnknownNamesInLenientMode) {
  EXPECT_EQ(rendered("<{{a}}{{b.c}}{{#d}}x{{/d}}{{#each e}}x{{/each}}{{> p}}>", "{}",
                     Strictness::kLenient),
            "<>");
}

TEST(Renderer, WritesAContainerAsJsonInLenientMode) {
  EXPECT_EQ(rendered("{{a}}", R"({"a": [1, {"b": null}]})", Strictness::kLenient),
            R"([1,{"b":null}])");
}

TEST(Renderer, DoesNotEnterATruthWithASection) {
  EXPECT_EQ(rendered("{{#with o}}{{#flag}}{{this.n}}{{/flag}}{{/with}}",
                     R"({"flag": true, "o": {"n": 1}})"),
            "1");
}

TEST(Renderer, EatsWhiteSpaceAroundBlocks) {
  EXPECT_EQ(rendered("a\n{{~#if x~}}\n b \n{{~/if~}}\n c", R"({"x": true})"), "abc");
}

TEST(Renderer, LeavesNoLineForABlockAloneOnItsLine) {
  EXPECT_EQ(rendered("a\n{{#if x}}\nb\n{{else}}\nc\n{{/if}}\nd\n", R"({"x": false})"), "a\nc\nd\n");
}

TEST(Renderer, SpeaksOfADeepPlaceInTheDocumentWhenItExplains) {
  const Json document =
      Json::parse(R"({"l": [{"n": "a", "m": {"k": 1}}, {"n": "b", "m": null}], "s": {"x": ""}})");
  const Rendered result = render_program(
      parse_program("{{#each l}}\n{{n}}{{#if m}}{{m.k}}{{/if}}\n{{/each}}{{s.x}}", "t"), document,
      {}, {}, Explain::kYes);
  std::string used;
  for (const UsedValue& value : result.used)
    used += value.path + "=" + value.value + " at " + value.place + "\n";
  EXPECT_EQ(used,
            "l=list of 2 at t:1:9\n"
            "l[0].n=a at t:2:3\n"
            "l[0].m=mapping of 1 at t:2:12\n"
            "l[0].m.k=1 at t:2:17\n"
            "l[1].n=b at t:2:3\n"
            "l[1].m=null at t:2:12\n"
            "s.x= at t:3:12\n");
}

}  // namespace
}  // namespace qbuild::templates
