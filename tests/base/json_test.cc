#include "base/json.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "tests/base/expect_error.h"

namespace qbuild {
namespace {

using test::error_of;

TEST(Json, KeepsMembersInTheOrderOfTheirArrival) {
  Json value;
  value["z"] = 1;
  value["a"] = "text";
  value["z"] = 2;
  EXPECT_EQ(value.dump(), R"({"z":2,"a":"text"})");
}

TEST(Json, ComparesWithTheOrderOfMembers) {
  EXPECT_EQ(Json::parse(R"({"a":1,"b":[2]})"), Json::parse(R"({ "a": 1, "b": [ 2 ] })"));
  EXPECT_FALSE(Json::parse(R"({"a":1,"b":2})") == Json::parse(R"({"b":2,"a":1})"));
}

TEST(Json, PushBackMakesAnArrayOfNull) {
  Json value;
  value.push_back(1);
  value.push_back(Json::object({{"k", nullptr}}));
  EXPECT_EQ(value.dump(), R"([1,{"k":null}])");
}

TEST(Json, TakesWholeDoublesForIntegersAndIntegersForDoubles) {
  EXPECT_EQ(Json(3.0).as_int(), 3);
  EXPECT_EQ(Json(-0.0).as_int(), 0);
  EXPECT_EQ(Json(3).as_double(), 3.0);
}

TEST(Json, RefusesDoublesThatAreNoIntegers) {
  EXPECT_EQ(error_of([] { static_cast<void>(Json(0.5).as_int()); }).message(),
            "expected an integer, found 0.5");
  EXPECT_THROW(static_cast<void>(Json(9223372036854775808.0).as_int()), Error);
  EXPECT_THROW(static_cast<void>(Json(std::numeric_limits<double>::quiet_NaN()).as_int()), Error);
  EXPECT_EQ(Json(-9223372036854775808.0).as_int(), std::numeric_limits<std::int64_t>::min());
}

TEST(Json, KeepsUnsignedNumbersExactlyAsFarAsAnIntegerGoes) {
  const std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(Json(most).is_int());
  EXPECT_EQ(Json(most).as_uint(), most);
  EXPECT_EQ(Json(std::numeric_limits<std::uint64_t>::max()).as_double(), 18446744073709551616.0);
}

TEST(Json, SaysWhatItExpectedAndWhatItFound) {
  const Json number(1);
  EXPECT_EQ(error_of([&] { static_cast<void>(number.as_string()); }).message(),
            "expected a string, found a number");
  EXPECT_EQ(error_of([&] { static_cast<void>(Json("x").as_bool()); }).message(),
            "expected a boolean, found a string");
  EXPECT_EQ(error_of([&] { static_cast<void>(Json().as_array()); }).message(),
            "expected an array, found null");
  EXPECT_EQ(error_of([&] { static_cast<void>(Json::array().as_object()); }).message(),
            "expected an object, found an array");
  EXPECT_EQ(error_of([&] { static_cast<void>(Json(-1).as_uint()); }).message(),
            "expected a number that is not negative, found -1");
  EXPECT_EQ(error_of([&] { static_cast<void>(number.as_string()); }).kind(),
            ErrorKind::kInvalidInput);
}

TEST(Json, NamesTheMissingKey) {
  const Json value = Json::object({{"a", 1}});
  EXPECT_EQ(value.at("a").as_int(), 1);
  EXPECT_EQ(error_of([&] { static_cast<void>(value.at("vocab_size")); }).message(),
            "\"vocab_size\" is missing");
  EXPECT_EQ(error_of([] { static_cast<void>(Json(1).at("a")); }).message(),
            "expected an object, found a number");
}

TEST(Json, FindsNothingInWhatIsNoObject) {
  EXPECT_EQ(Json(1).find("a"), nullptr);
  EXPECT_EQ(Json::object().find("a"), nullptr);
}

TEST(Json, FallsBackOnlyForAbsentAndNullMembers) {
  const Json value = Json::parse(R"({"s":"x","i":7,"d":1.5,"b":true,"n":null})");
  EXPECT_EQ(value.get_string("s"), "x");
  EXPECT_EQ(value.get_string("none", "default"), "default");
  EXPECT_EQ(value.get_string("n", "default"), "default");
  EXPECT_EQ(value.get_int("i", 1), 7);
  EXPECT_EQ(value.get_int("none", 1), 1);
  EXPECT_EQ(value.get_double("d", 0), 1.5);
  EXPECT_EQ(value.get_double("i", 0), 7.0);
  EXPECT_TRUE(value.get_bool("b", false));
  EXPECT_TRUE(value.get_bool("none", true));
  EXPECT_EQ(error_of([&] { static_cast<void>(value.get_int("s", 1)); }).message(),
            "\"s\": expected an integer, found a string");
}

}  // namespace
}  // namespace qbuild
