#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/json.h"

namespace qbuild {
namespace {

TEST(JsonDump, PrintsDoublesInTheShortestFormThatReadsBack) {
  for (const double value : {0.1, 1.0 / 3, 1e300, 5e-324, 35.62, -0.0, 123456789.0, 1e21}) {
    const Json back = Json::parse(Json(value).dump());
    EXPECT_EQ(back.as_double(), value);
    EXPECT_EQ(std::signbit(back.as_double()), std::signbit(value));
    EXPECT_FALSE(back.is_int()) << value << " came back as an integer";
  }
  EXPECT_EQ(Json(0.1).dump(), "0.1");
  EXPECT_EQ(Json(2.0).dump(), "2.0");
  EXPECT_EQ(Json(1e300).dump(), "1e+300");
}

TEST(JsonDump, PrintsWhatIsNoNumberAsNull) {
  EXPECT_EQ(Json(std::numeric_limits<double>::quiet_NaN()).dump(), "null");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
}

TEST(JsonDump, EscapesWhatJsonForbidsAndNothingElse) {
  const std::string text("\"\\/\b\f\n\r\t\0\x1f\x7f\xE2\x82\xAC\xF0\x9F\x98\x80", 18);
  const std::string dumped = Json(text).dump();
  EXPECT_EQ(dumped,
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\xE2\x82\xAC\xF0\x9F\x98\x80\"");
  EXPECT_EQ(Json::parse(dumped).as_string(), text);
}

TEST(JsonDump, ReplacesBytesThatAreNoUtf8SoThatTheOutputIsAlwaysJson) {
  const std::string replacement = "\xEF\xBF\xBD";
  for (const char* bad : {"\xFF", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
    const std::string dumped = Json(std::string("a") + bad + "b").dump();
    const std::string read = Json::parse(dumped).as_string();
    EXPECT_EQ(read.substr(0, 4), "a" + replacement);
    EXPECT_EQ(read.back(), 'b');
  }
}

TEST(JsonDump, IndentsByTwoSpacesAndEndsInANewline) {
  const Json value = Json::parse(R"({"a":[1,{"b":[]}],"c":{}})");
  EXPECT_EQ(value.dump_pretty(),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}\n");
  EXPECT_EQ(Json::parse(value.dump_pretty()), value);
}

TEST(JsonDump, PrintsTheEndsOfTheIntegerRange) {
  EXPECT_EQ(Json(std::numeric_limits<std::int64_t>::min()).dump(), "-9223372036854775808");
  EXPECT_EQ(Json(std::numeric_limits<std::int64_t>::max()).dump(), "9223372036854775807");
}

}  // namespace
}  // namespace qbuild
