#include "base/check.h"

#include <gtest/gtest.h>

namespace qbuild {
namespace {

TEST(Check, GoesOnWhenTheConditionHolds) {
  int reached = 0;
  check(true, "truth");
  ++reached;
  EXPECT_EQ(reached, 1);
}

TEST(CheckDeathTest, EndsTheProcessWithPlaceAndCondition) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      check(false, "the sum is positive"),
      "qbuild: internal error at .*check_test.cc:[0-9]+: the sum is positive does not hold");
}

}  // namespace
}  // namespace qbuild
