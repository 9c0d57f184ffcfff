#include "templates/expression.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace qbuild::templates {
namespace {

using Parts = std::vector<std::string>;

std::string failure(std::string_view text) {
  try {
    static_cast<void>(parse_expression(text, 0));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.message();
  }
  return "no error";
}

Path path_of(std::string_view text) {
  return parse_expression(text, 0).value.path;
}

TEST(Expression, ReadsADottedName) {
  const Path path = path_of("model.name.0");
  EXPECT_EQ(path.root, PathRoot::kLookup);
  EXPECT_EQ(path.parts, (Parts{"model", "name", "0"}));
}

TEST(Expression, ReadsNamesWithDashesAndDigits) {
  EXPECT_EQ(path_of("per-variant_2").parts, Parts{"per-variant_2"});
}

TEST(Expression, ReadsTheCurrentContextInAllItsSpellings) {
  for (const std::string_view text : {".", "this"}) {
    EXPECT_EQ(path_of(text).root, PathRoot::kContext) << text;
    EXPECT_TRUE(path_of(text).parts.empty()) << text;
  }
  for (const std::string_view text : {"this.name", "./name", "this/name"}) {
    EXPECT_EQ(path_of(text).root, PathRoot::kContext) << text;
    EXPECT_EQ(path_of(text).parts, Parts{"name"}) << text;
  }
}

TEST(Expression, CountsStepsOutwards) {
  EXPECT_EQ(path_of("../../name").parents, 2U);
  EXPECT_EQ(path_of("../../name").parts, Parts{"name"});
  EXPECT_EQ(path_of("..").parents, 1U);
  EXPECT_TRUE(path_of("../this").parts.empty());
}

TEST(Expression, ReadsWordsOfTheLoopAndTheRoot) {
  EXPECT_EQ(path_of("@index").root, PathRoot::kIndex);
  EXPECT_EQ(path_of("@first").root, PathRoot::kFirst);
  EXPECT_EQ(path_of("@last").root, PathRoot::kLast);
  EXPECT_EQ(path_of("@key").root, PathRoot::kKey);
  EXPECT_EQ(path_of("@root.model.name").parts, (Parts{"model", "name"}));
}

TEST(Expression, ReadsLiterals) {
  EXPECT_EQ(parse_expression("\"a \\\"b\\\" \\n\"", 0).value.literal, Json("a \"b\" \n"));
  EXPECT_EQ(parse_expression("'a \"b\"'", 0).value.literal, Json("a \"b\""));
  EXPECT_EQ(parse_expression("12", 0).value.literal, Json(12));
  EXPECT_EQ(parse_expression("-1.5", 0).value.literal, Json(-1.5));
  EXPECT_EQ(parse_expression("true", 0).value.literal, Json(true));
  EXPECT_EQ(parse_expression("null", 0).value.literal, Json(nullptr));
}

TEST(Expression, ReadsADefaultWithOrWithoutSpaces) {
  for (const std::string_view text :
       {"a.b | default \"n/a\"", "a.b|default \"n/a\"", "a.b|\n default 'n/a'"}) {
    const Expression expression = parse_expression(text, 10);
    EXPECT_EQ(expression.value.text, "a.b") << text;
    ASSERT_TRUE(expression.fallback) << text;
    EXPECT_EQ(expression.fallback->literal, Json("n/a")) << text;
  }
  EXPECT_EQ(parse_expression("a | default b", 10).fallback->offset, 22U);
}

TEST(Expression, RefusesWhatIsNotAName) {
  EXPECT_EQ(failure(""), "there is no name in this tag");
  EXPECT_EQ(failure("a..b"), "\"a..b\" is not a name");
  EXPECT_EQ(failure(".a"), "\".a\" is not a name");
  EXPECT_EQ(failure("a."), "\"a.\" is not a name");
  EXPECT_EQ(failure("../"), "\"../\" is not a name");
  EXPECT_EQ(failure("./"), "\"./\" is not a name");
  EXPECT_EQ(failure("a/b"), "\"a/b\" is not a name");
  EXPECT_EQ(failure("f(x)"), "\"f(x)\" is not a name");
}

TEST(Expression, RefusesWordsThatFollowAName) {
  EXPECT_EQ(failure("a b"), "cannot read \"b\" after \"a\"; there is only: name | default value");
  EXPECT_EQ(failure("a | upper"), "unknown filter \"upper\"; there is only: name | default value");
  EXPECT_EQ(failure("a | default"), "\"default\" needs a value, as in {{name | default \"n/a\"}}");
  EXPECT_EQ(failure("a | default 1 2"), "cannot read \"2\" after the default");
  EXPECT_EQ(failure("| default 1"), "there is no name in front of \"|\"");
}

TEST(Expression, RefusesBrokenTextLiterals) {
  EXPECT_EQ(failure("\"abc"), "a text literal lacks its closing \"");
  EXPECT_EQ(failure("\"abc\\"), "a text literal lacks its closing \"");
  EXPECT_EQ(failure("\"abc\\\""), "a text literal lacks its closing \"");
  EXPECT_EQ(failure("'a\\q'"), "unknown escape \"\\q\" in a text literal");
}

TEST(Expression, SuggestsTheNearestWordOfTheLoop) {
  EXPECT_EQ(failure("@indx"), "unknown word \"@indx\"; did you mean \"@index\"?");
  EXPECT_EQ(failure("@first.x"), "\"@first\" has no members");
}

TEST(Expression, BoundsPartsAndStepsOutwards) {
  std::string deep = "a";
  for (int i = 0; i < 32; ++i) deep += ".a";
  EXPECT_EQ(failure(deep), "a name has at most 32 parts");
  std::string outwards;
  for (int i = 0; i < 33; ++i) outwards += "../";
  EXPECT_EQ(failure(outwards + "a"), "at most 32 \"../\"");
}

}  // namespace
}  // namespace qbuild::templates
