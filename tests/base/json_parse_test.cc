#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/json.h"
#include "tests/base/expect_error.h"

namespace qbuild {
namespace {

std::string message_of(std::string_view text) {
  const Error error = test::error_of([&] { static_cast<void>(Json::parse(text)); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  return error.message();
}

TEST(JsonParse, ReadsEveryKindOfValue) {
  const Json value = Json::parse(R"( [null, true, -12, 1.5, "t\u00e4\n", {"k": []}, 1e2] )");
  EXPECT_EQ(value.dump(), "[null,true,-12,1.5,\"t\xC3\xA4\\n\",{\"k\":[]},100.0]");
  EXPECT_TRUE(value.as_array()[2].is_int());
  EXPECT_FALSE(value.as_array()[6].is_int());
}

TEST(JsonParse, ReadsIntegersBeyond64BitsAsDoubles) {
  EXPECT_EQ(Json::parse("9223372036854775807").as_int(), 9223372036854775807);
  EXPECT_EQ(Json::parse("18446744073709551615").as_double(), 18446744073709551616.0);
  EXPECT_EQ(Json::parse("1" + std::string(30, '0')).as_double(), 1e30);
}

TEST(JsonParse, NamesLineAndColumnOfTheFirstBadByte) {
  EXPECT_EQ(message_of("{\n  \"a\": 1,\n  \"b\" 2\n}"),
            "3:7: invalid JSON: unexpected number literal; expected ':'");
  EXPECT_EQ(message_of("nul"), "1:4: invalid JSON: invalid literal");
  EXPECT_EQ(message_of("[1,]"),
            "1:4: invalid JSON: unexpected ']'; expected '[', '{', or a literal");
  EXPECT_EQ(message_of("1 2"),
            "1:3: invalid JSON: unexpected number literal; expected end of input");
}

TEST(JsonParse, CountsCharactersNotBytes) {
  EXPECT_EQ(message_of("[\"\xC3\xA4\xC3\xB6\" x]").substr(0, 4), "1:7:");
}

TEST(JsonParse, RefusesEveryTruncationOfADocument) {
  const std::string text = R"({"a":[1,2.5,"x\u00e4"],"b":{"c":null,"d":true}})";
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_THROW(static_cast<void>(Json::parse(text.substr(0, length))), Error) << length;
  }
  EXPECT_NO_THROW(static_cast<void>(Json::parse(text)));
}

TEST(JsonParse, NamesTheMemberThatIsGivenTwice) {
  EXPECT_EQ(message_of("{\"a\": 1,\n \"a\": 2}"), "2:2: \"a\" is given twice");
  EXPECT_EQ(message_of(R"({"a\"b": 1, "a\"b": 2})"), "1:13: \"a\"b\" is given twice");
  EXPECT_NO_THROW(static_cast<void>(Json::parse(R"({"a": {"a": 1}, "b": {"a": 2}})")));
}

TEST(JsonParse, FindsADuplicateAmongManyMembers) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += "\"k" + std::to_string(i) + "\":0,\n";
  EXPECT_NO_THROW(static_cast<void>(Json::parse(text + "\"end\":0}")));
  EXPECT_EQ(message_of(text + "\"k3\":0}"), "1001:1: \"k3\" is given twice");
  EXPECT_EQ(message_of(text + "\"k999\":0}"), "1001:1: \"k999\" is given twice");
}

TEST(JsonParse, RefusesNestingBeyondTheLimit) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(static_cast<void>(Json::parse(nested(Json::kMaxDepth))));
  EXPECT_EQ(message_of(nested(Json::kMaxDepth + 1)), "1:129: nested deeper than 128 levels");
  EXPECT_EQ(message_of(std::string(1'000'000, '[')), "1:129: nested deeper than 128 levels");
}

TEST(JsonParse, RefusesInvalidUtf8) {
  EXPECT_EQ(message_of("\"\xFF\""), "1:2: invalid JSON: invalid string: ill-formed UTF-8 byte");
  EXPECT_THROW(static_cast<void>(Json::parse("\"\xC0\xAF\"")), Error);      // overlong
  EXPECT_THROW(static_cast<void>(Json::parse("\"\xED\xA0\x80\"")), Error);  // surrogate
  EXPECT_THROW(static_cast<void>(Json::parse("\"\\ud800\"")), Error);
}

TEST(JsonParse, RefusesNumbersThatAreNoneAndThatOverflow) {
  EXPECT_THROW(static_cast<void>(Json::parse("NaN")), Error);
  EXPECT_THROW(static_cast<void>(Json::parse("01")), Error);
  EXPECT_EQ(message_of("[1e999]"), "1:6: invalid JSON: number overflow parsing '1e999'");
}

TEST(JsonParse, RefusesAZeroByteWhereverItStands) {
  EXPECT_EQ(message_of(std::string_view("{}\0", 3)), "1:3: invalid JSON: a zero byte");
  EXPECT_EQ(message_of(std::string_view("{}\0 }", 5)), "1:3: invalid JSON: a zero byte");
  EXPECT_THROW(static_cast<void>(Json::parse(std::string_view("[1,\0]", 5))), Error);
  EXPECT_THROW(static_cast<void>(Json::parse(std::string_view("\"\0\"", 3))), Error);
  EXPECT_EQ(Json::parse(R"("\u0000")").as_string(), std::string_view("\0", 1));
}

TEST(JsonParse, ShowsNoMoreOfALongNumberOrNameThanALineHolds) {
  EXPECT_EQ(message_of("[1" + std::string(2000, '0') + "]"),
            "1:2002: invalid JSON: number overflow parsing '1" + std::string(134, '0') +
                "... (2027 bytes)");
  const std::string name = "\"" + std::string(1000, 'k') + "\":1";
  EXPECT_EQ(message_of("{" + name + "," + name + "}"),
            "1:1007: \"" + std::string(160, 'k') + "... (1000 bytes)\" is given twice");
  EXPECT_EQ(message_of(R"({"a\nb":1,"a\nb":1})"), "1:11: \"a\\x0ab\" is given twice");
}

TEST(JsonParse, RefusesStringsAndNumbersLongerThanAnybodyWrites) {
  EXPECT_EQ(message_of("[\n " + std::string(5000, '1') + "]"),
            "2:2: a number of more than 4096 bytes");
  EXPECT_EQ(Json::parse("-0." + std::string(4093, '0')).as_double(), 0);
  const std::string longest(Json::kMaxStringBytes - 2, 'x');
  EXPECT_EQ(Json::parse("\"" + longest + "\"").as_string().size(), longest.size());
  EXPECT_EQ(message_of("[\"" + longest + "\\\"\"]"), "1:2: a string of more than 16777216 bytes");
  EXPECT_EQ(message_of("[\"" + longest + "x\""), "1:2: a string of more than 16777216 bytes");
}

TEST(JsonParse, NamesTheFirstOfSeveralDuplicatesAmongManyMembers) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"k" + std::to_string(i) + "\":0,\n";
  EXPECT_EQ(message_of(text + "\"k9\":0,\n\"k7\":0,\n\"k9\":0}"), "101:1: \"k9\" is given twice");
}

TEST(JsonParse, StopsAtTheValueThatTakesMoreMemoryThanMayBeTaken) {
  const auto refusal = [](std::string_view text, std::uint64_t bytes) {
    const Error error = test::error_of([&] { static_cast<void>(Json::parse(text, bytes)); });
    EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
    return error.message();
  };
  EXPECT_EQ(refusal("[1,\n2,\n3]", 100),
            "3:2: its values up to here take more than 100 bytes of memory");
  EXPECT_NO_THROW(static_cast<void>(Json::parse("[1,2]", 128)));
  EXPECT_EQ(refusal("[\"" + std::string(200, 'x') + "\"]", 100).substr(0, 6), "1:203:");
  EXPECT_EQ(refusal("[[[[[[[[[]]]]]]]]]", 100).substr(0, 4), "1:7:");
}

TEST(JsonParse, RefusesNothingAtAll) {
  EXPECT_EQ(message_of("").substr(0, 37), "1:1: invalid JSON: unexpected end of ");
  EXPECT_THROW(static_cast<void>(Json::parse("  \n")), Error);
}

}  // namespace
}  // namespace qbuild
