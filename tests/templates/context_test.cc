#include "templates/context.h"

#include <gtest/gtest.h>

#include <string>

#include "templates/expression.h"

namespace qbuild::templates {
namespace {

Resolved resolve(Context& context, std::string_view path) {
  return context.resolve(parse_expression(path, 0).value.path);
}

std::string missing(const Context& context, std::string_view path) {
  return context.explain_missing(parse_expression(path, 0).value);
}

TEST(Context, FindsANameInTheInnermostContextThatHasIt) {
  const Json document = Json::parse(R"({"a": 1, "b": 2, "in": {"b": 3}})");
  Context context(document);
  context.push(document.at("in"), "in");
  EXPECT_EQ(resolve(context, "a").value(), Json(1));
  EXPECT_EQ(resolve(context, "b").value(), Json(3));
  EXPECT_EQ(resolve(context, "b").path(), "in.b");
  context.pop();
  EXPECT_EQ(resolve(context, "b").value(), Json(2));
}

TEST(Context, KeepsToOneContextForThisAndForStepsOutwards) {
  const Json document = Json::parse(R"({"a": 1, "in": {"b": 3}})");
  Context context(document);
  context.push(document.at("in"), "in");
  EXPECT_FALSE(resolve(context, "this.a").found());
  EXPECT_EQ(resolve(context, "this.b").value(), Json(3));
  EXPECT_EQ(resolve(context, "../a").value(), Json(1));
  EXPECT_FALSE(resolve(context, "../b").found());
  EXPECT_FALSE(resolve(context, "../../a").found());
  EXPECT_EQ(resolve(context, "@root.a").value(), Json(1));
}

TEST(Context, GoesThroughListsByIndex) {
  const Json document = Json::parse(R"({"l": [{"n": "x"}, {"n": "y"}]})");
  Context context(document);
  EXPECT_EQ(resolve(context, "l.1.n").value(), Json("y"));
  EXPECT_EQ(resolve(context, "l.1.n").path(), "l[1].n");
  EXPECT_FALSE(resolve(context, "l.2.n").found());
  EXPECT_FALSE(resolve(context, "l.99999999999999999999").found());
  EXPECT_FALSE(resolve(context, "l.-1").found());
}

TEST(Context, TakesANameBelowANullForNull) {
  const Json document = Json::parse(R"({"a": null, "b": 1})");
  Context context(document);
  EXPECT_TRUE(resolve(context, "a.x.y").found());
  EXPECT_TRUE(resolve(context, "a.x.y").value().is_null());
  EXPECT_FALSE(resolve(context, "b.x").found());
}

TEST(Context, KnowsTheTurnOfTheInnermostLoop) {
  const Json document = Json::parse(R"([10, 20])");
  Context context(document);
  context.push_turn(document.as_array()[1], "[1]", {.index = 1, .count = 2, .key = {}});
  context.push(document.as_array()[0], "[0]");
  EXPECT_EQ(resolve(context, "@index").value(), Json(1));
  EXPECT_EQ(resolve(context, "@first").value(), Json(false));
  EXPECT_EQ(resolve(context, "@last").value(), Json(true));
  EXPECT_EQ(resolve(context, "@key").value(), Json(1));
  EXPECT_FALSE(resolve(context, "@index").in_document());
}

TEST(Context, SuggestsTheNearestNameInSight) {
  const Json document = Json::parse(R"({"model": {"license": "mit"}, "variants": []})");
  Context context(document);
  EXPECT_EQ(missing(context, "modle"), "unknown variable \"modle\"; did you mean \"model\"?");
  EXPECT_EQ(missing(context, "model.licence"),
            "unknown variable \"model.licence\": \"model\" has no \"licence\"; did you mean "
            "\"license\"?");
}

TEST(Context, ListsWhatIsKnownIfNoNameIsNear) {
  const Json document = Json::parse(R"({"model": {"license": "mit"}, "variants": []})");
  Context context(document);
  EXPECT_EQ(missing(context, "zzz"), "unknown variable \"zzz\"; known here: model, variants");
  EXPECT_EQ(
      missing(context, "model.license.x"),
      "unknown variable \"model.license.x\": \"model.license\" has no \"x\"; nothing is known "
      "here");
  EXPECT_EQ(
      missing(context, "@root.zzz"),
      "unknown variable \"@root.zzz\": the document has no \"zzz\"; known here: model, variants");
}

TEST(Context, ListsAtMostEightNames) {
  Json document;
  for (char name = 'a'; name <= 'k'; ++name) document[std::string(1, name) + "_name"] = 1;
  Context context(document);
  EXPECT_EQ(missing(context, "zzz"),
            "unknown variable \"zzz\"; known here: a_name, b_name, c_name, d_name, e_name, f_name, "
            "g_name, h_name, ...");
}

TEST(Context, SaysWhatCannotBeReached) {
  const Json document = Json::parse("{}");
  Context context(document);
  EXPECT_EQ(missing(context, "@index"), "\"@index\" stands outside a loop");
  EXPECT_EQ(missing(context, "../a"), "\"../a\" leads out of the document");
}

TEST(Context, CountsTheMembersItCompares) {
  const Json document = Json::parse(R"({"a": 1, "b": 2, "c": 3})");
  Context context(document);
  EXPECT_EQ(context.compared(), 0U);
  static_cast<void>(resolve(context, "c"));
  EXPECT_GE(context.compared(), 3U);
}

}  // namespace
}  // namespace qbuild::templates
