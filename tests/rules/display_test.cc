#include "rules/display.h"

#include <gtest/gtest.h>

#include <limits>

namespace qbuild::rules {
namespace {

TEST(Display, BytesHaveThreeDigits) {
  EXPECT_EQ(display_bytes(0), "0 B");
  EXPECT_EQ(display_bytes(999), "999 B");
  EXPECT_EQ(display_bytes(1000), "1.00 kB");
  EXPECT_EQ(display_bytes(4'361'024), "4.36 MB");
  EXPECT_EQ(display_bytes(99'960'000), "100 MB");
  EXPECT_EQ(display_bytes(999'600'000), "1.00 GB");
  EXPECT_EQ(display_bytes(123'000'000'000'000'000), "123000 TB");
}

TEST(Display, CountsOfParameters) {
  EXPECT_EQ(display_count(4'066'560), "4.07 M");
  EXPECT_EQ(display_count(8'030'000'000), "8.03 B");
}

TEST(Display, FixedSaysWhenThereIsNoNumber) {
  EXPECT_EQ(display_fixed(1.00167, 4), "1.0017");
  EXPECT_EQ(display_fixed(std::numeric_limits<double>::quiet_NaN(), 2), "n/a");
}

TEST(Display, SecondsGrowIntoMinutesAndHours) {
  EXPECT_EQ(display_seconds(0.42), "0.4 s");
  EXPECT_EQ(display_seconds(12.4), "12 s");
  EXPECT_EQ(display_seconds(200), "3 min 20 s");
  EXPECT_EQ(display_seconds(7500), "2 h 5 min");
}

}  // namespace
}  // namespace qbuild::rules
