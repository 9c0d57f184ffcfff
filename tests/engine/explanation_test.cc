#include "engine/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace qbuild::engine {
namespace {

using Kind = Explanation::Kind;
using ::testing::ElementsAre;

TEST(Explanation, LongValuesAreShownWhereTheyDiffer) {
  const std::string begin(200, 'a');
  const std::string end(200, 'z');
  Explanation changed{.kind = Explanation::Kind::kKeyChanged};
  changed.changes.push_back(
      {.label = "text", .before = begin + "old" + end, .after = begin + "new" + end});
  const std::string context(16, 'a');
  const std::string rest(53, 'z');
  EXPECT_EQ(summarize(changed), "key changed: text: ..." + context + "old" + rest + "... -> ..." +
                                    context + "new" + rest + "...");
  changed.changes = {{.label = "text", .before = "", .after = begin + end}};
  EXPECT_EQ(summarize(changed), "key changed: text: (none) -> " + begin.substr(0, 72) + "...");
}

TEST(Explanation, NoCharacterIsCutInTwo) {
  std::string euros;
  for (int i = 0; i < 50; ++i) euros += "\xE2\x82\xAC";
  const Explanation changed{.kind = Explanation::Kind::kKeyChanged,
                            .changes = {{.label = "t", .before = euros + "!", .after = euros}}};
  for (const std::string& line : describe(changed)) EXPECT_TRUE(is_utf8(line)) << line;
}

TEST(Explanation, OfDigestsTheBeginningIsShown) {
  const Explanation changed{
      .kind = Explanation::Kind::kKeyChanged,
      .changes = {
          {.label = "input.a", .before = std::string(64, 'a'), .after = std::string(64, '0')}}};
  EXPECT_EQ(summarize(changed), "key changed: input.a: aaaaaaaaaaaa -> 000000000000");
}

TEST(Explanation, ComparesTextsFieldByField) {
  EXPECT_THAT(compare_key_texts("a: 1\nb: 2\nc: 3\n", "a: 1\nb: 5\nd: 4\n"),
              ElementsAre(FieldChange{"b", "2", "5"}, FieldChange{"d", "", "4"},
                          FieldChange{"c", "3", ""}));
}

TEST(Explanation, ValuesMayHoldWhatLabelsEndWith) {
  EXPECT_THAT(compare_key_texts("a: x: 1\n", "a: x: 2\n"),
              ElementsAre(FieldChange{"a", "x: 1", "x: 2"}));
}

TEST(Explanation, EqualTextsHaveNoChangesAndReorderedOnesDo) {
  EXPECT_TRUE(compare_key_texts("a: 1\nb: 2\n", "a: 1\nb: 2\n").empty());
  EXPECT_EQ(compare_key_texts("a: 1\nb: 2\n", "b: 2\na: 1\n").size(), 1u);
}

TEST(Explanation, DamagedTextIsComparedWithoutHarm) {
  EXPECT_EQ(compare_key_texts("no separator", "a: 1\n").size(), 2u);
  EXPECT_EQ(compare_key_texts("", "").size(), 0u);
}

TEST(Explanation, SaysInOneLineWhatHappened) {
  EXPECT_EQ(summarize({.kind = Kind::kCurrent}), "current");
  EXPECT_EQ(summarize({.kind = Kind::kNeverBuilt}), "never built");
  EXPECT_EQ(summarize({.kind = Kind::kKeyChanged,
                       .changes = {{"param.type", "\"Q4_K_M\"", "\"Q4_K_S\""}, {"x", "1", ""}}}),
            "key changed: param.type: \"Q4_K_M\" -> \"Q4_K_S\" (and 1 more)");
  EXPECT_EQ(summarize({.kind = Kind::kRecordMissing}), "its record is gone from the store");
  EXPECT_EQ(summarize({.kind = Kind::kUpstream, .upstream = {"a", "b", "c"}}),
            "depends on a (and 2 more), which will run");
  EXPECT_EQ(summarize({.kind = Kind::kBlocked, .upstream = {"a"}}), "needs a, which failed");
  EXPECT_EQ(summarize({.kind = Kind::kHeld, .detail = "too bad"}), "held: too bad");
}

TEST(Explanation, DescribesEveryChange) {
  EXPECT_THAT(describe({.kind = Kind::kKeyChanged, .changes = {{"a", "1", "2"}, {"b", "", "3"}}}),
              ElementsAre("key changed:", "  a: 1 -> 2", "  b: (none) -> 3"));
  EXPECT_THAT(describe({.kind = Kind::kUpstream, .upstream = {"a", "b"}}),
              ElementsAre("depends on these, which will run:", "  a", "  b"));
}

TEST(Explanation, IsJsonWithItsPartsOnly) {
  EXPECT_EQ(to_json({.kind = Kind::kNeverBuilt}).dump(),
            R"({"kind":"never_built","summary":"never built"})");
  EXPECT_EQ(to_json({.kind = Kind::kKeyChanged, .changes = {{"a", "1", "2"}}}).dump(),
            R"({"kind":"key_changed","summary":"key changed: a: 1 -> 2",)"
            R"("changes":[{"label":"a","before":"1","after":"2"}]})");
}

}  // namespace
}  // namespace qbuild::engine
