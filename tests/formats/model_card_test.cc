#include "formats/model_card.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::HasSubstr;

Json read(const std::string& front) {
  return read_front_matter("---\n" + front + "\n---\n# Title\n");
}
Error refusal(const std::string& front) {
  return error_of([&] { static_cast<void>(read(front)); });
}

TEST(FrontMatter, CharactersBesideThoseThatAreNoneAreKept) {
  const Json value =
      Json::object({{"text", "\uFFFD \uFDCF \uFDF0 \U0001F600 \U0001FFFD \U00020000"}});
  EXPECT_EQ(read_front_matter(emit_front_matter(value)), value);
}

TEST(FrontMatter, ReadsScalarsListsAndMappings) {
  EXPECT_EQ(read("license: apache-2.0\ntags: [a, b]\nlanguage:\n- en\n- no\nx: {y: 1, z: 0.5}\nt: "
                 "true\nn: null"),
            Json::object({{"license", "apache-2.0"},
                          {"tags", Json(Json::Array{"a", "b"})},
                          {"language", Json(Json::Array{"en", "no"})},
                          {"x", Json::object({{"y", 1}, {"z", 0.5}})},
                          {"t", true},
                          {"n", Json()}}));
}

TEST(FrontMatter, LeavesQuotedScalarsText) {
  EXPECT_EQ(read("a: \"1.0\"\nb: 'true'\nc: \"\"\nd: 'null'"),
            Json::object({{"a", "1.0"}, {"b", "true"}, {"c", ""}, {"d", "null"}}));
}

TEST(FrontMatter, IsEmptyWhereThereIsNone) {
  for (const std::string_view text :
       {"", "# Title\n", "---", "---\nlicense: mit\n", "\n---\na: 1\n---\n", "----\na: 1\n---\n"}) {
    EXPECT_EQ(read_front_matter(text), Json::object()) << text;
  }
  EXPECT_EQ(read(""), Json::object());
  EXPECT_EQ(read("# only a comment"), Json::object());
}

TEST(FrontMatter, AcceptsByteOrderMarkAndCarriageReturns) {
  EXPECT_EQ(read_front_matter("\xef\xbb\xbf---\r\nlicense: mit\r\n---\r\n"),
            Json::object({{"license", "mit"}}));
}

TEST(FrontMatter, NamesLineAndColumnOfAMistake) {
  const Error error = refusal("a: 1\nb: [1, 2");
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message(), testing::StartsWith("front matter: "));
  EXPECT_EQ(refusal("a: 1\na: 2").message(), "front matter: 3:1: the key \"a\" twice");
  EXPECT_THAT(refusal("- a\n- b").message(), HasSubstr("it is no mapping"));
  EXPECT_THAT(refusal("just words").message(), HasSubstr("it is no mapping"));
}

TEST(FrontMatter, RefusesWhatIsNotUtf8HoweverItIsSpelled) {
  EXPECT_EQ(refusal("a: b\nc: \xff").message(), "front matter: 3:4: this is not UTF-8");
  EXPECT_THAT(refusal("a: \"\\ud800\"").message(),
              HasSubstr("front matter: 2:11: invalid unicode"));
  EXPECT_THAT(refusal("k\xc4: 1").message(), HasSubstr("this is not UTF-8"));
}

TEST(FrontMatter, RefusesAliasesWhichCouldGrowWithoutBound) {
  EXPECT_EQ(refusal("a: &x [1]\nb: *x").message(), "front matter: 3:4: aliases are not read here");
}

TEST(FrontMatter, RefusesTooDeepTooLongAndTooMany) {
  EXPECT_EQ(refusal("a: " + std::string(2000, '[')).kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(refusal("a: " + std::string(200, '[') + std::string(200, ']')).kind(),
            ErrorKind::kInvalidInput);
  EXPECT_EQ(refusal("a: " + std::string(kMaxFrontMatterBytes, 'x')).kind(), ErrorKind::kExhausted);
  std::string many = "a: [";
  for (std::size_t i = 0; i <= kMaxFrontMatterNodes; ++i) many += "1,";
  EXPECT_THAT(refusal(many + "]").message(), HasSubstr("too many values"));
}

TEST(FrontMatter, SurvivesBytesThatAreNoText) {
  // What it becomes matters less than that it is a value or an Error.
  for (const std::string& front :
       {std::string("a: \xff\xfe"), std::string("a: \"\\x00\""), std::string("\t\ta: 1"),
        std::string("a: !!binary x"), std::string("? [a]\n: b"), std::string("%YAML 9")}) {
    try {
      EXPECT_TRUE(read(front).is_object());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    }
  }
}

TEST(FrontMatter, WritesWhatPeopleWrite) {
  EXPECT_EQ(emit_front_matter(Json::object(
                {{"license", "apache-2.0"}, {"tags", Json(Json::Array{"gguf", "llama"})}})),
            "---\nlicense: apache-2.0\ntags:\n  - gguf\n  - llama\n---\n");
}

TEST(FrontMatter, ReadsBackHostileTextAsItWas) {
  for (const std::string text : {"",
                                 " ",
                                 "yes",
                                 "No",
                                 "on",
                                 "OFF",
                                 "y",
                                 "N",
                                 "true",
                                 "FALSE",
                                 "null",
                                 "~",
                                 "1.0",
                                 "1e5",
                                 "0x1F",
                                 "-1",
                                 "+1",
                                 ".5",
                                 "1_000",
                                 "12:30:45",
                                 "2026-11-25",
                                 ": ",
                                 "a: b",
                                 "a #b",
                                 "# c",
                                 "- d",
                                 "-",
                                 "---",
                                 "...",
                                 "[x]",
                                 "{x}",
                                 "*x",
                                 "&x",
                                 "!x",
                                 "%x",
                                 "@x",
                                 "`x",
                                 "'",
                                 "\"",
                                 "\\",
                                 "\\n",
                                 "a\nb",
                                 "a\n\nb\n",
                                 "\n",
                                 "\t",
                                 "tab\there",
                                 "\r\n",
                                 "x ",
                                 " x",
                                 "|",
                                 ">",
                                 "?",
                                 "? x",
                                 ",",
                                 "\x01\x1f\x7f",
                                 "\xc2\x85",
                                 "\xe2\x80\xa8",
                                 "\xef\xbb\xbf",
                                 "\xef\xbf\xbd",
                                 "\xf0\x9f\x9a\x80 \xc3\xa9",
                                 "\xe2\x9c\x85",
                                 "=",
                                 "<<",
                                 ".inf",
                                 ".nan",
                                 "key: \"v\"\n---\nx"}) {
    const Json value =
        Json::object({{"k", text}, {"list", Json(Json::Array{text, Json(Json::Array{text})})}});
    EXPECT_EQ(read_front_matter(emit_front_matter(value) + "body"), value)
        << emit_front_matter(value);
    if (text.empty()) continue;
    const Json as_key = Json::object({{text, 1}});
    EXPECT_EQ(read_front_matter(emit_front_matter(as_key) + "body"), as_key)
        << emit_front_matter(as_key);
  }
}

// Of 1,024 characters and more a colon makes no key.
TEST(FrontMatter, ReadsBackKeysOfAnyLength) {
  for (const std::string& key :
       {std::string(900, 'k'), std::string(1022, 'k'), std::string(5000, 'k'),
        std::string(300, '\x7f'), std::string(600, '"'),
        std::string("\xc2\x85") + std::string(1000, 'k')}) {
    Json inner = Json::object({{key, "a"}, {"usual", 1}});
    inner[key + "2"] = Json::object({{key, Json::array()}, {"z", key}});
    const Json object = Json::object({{key, 1}, {"b", std::move(inner)}, {"c", 2}});
    EXPECT_EQ(read_front_matter(emit_front_matter(object) + "body"), object) << key.size();
  }
}

TEST(FrontMatter, ReadsBackNumbersAndEmptyContainersAsTheyWere) {
  for (const Json& value :
       {Json(0), Json(-7), Json(std::int64_t{9007199254740993}), Json(0.1), Json(1e300),
        Json(-2.5e-8), Json(3.0), Json(true), Json(false), Json(), Json::array(), Json::object(),
        Json(Json::Array{Json::object({{"a", Json::array()}})})}) {
    const Json object = Json::object({{"v", value}});
    EXPECT_EQ(read_front_matter(emit_front_matter(object)), object) << emit_front_matter(object);
  }
  EXPECT_EQ(read_front_matter(emit_front_matter(Json::object())), Json::object());
}

}  // namespace
}  // namespace qbuild::formats
