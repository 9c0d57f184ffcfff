#include "base/clock.h"

#include <gtest/gtest.h>

namespace qbuild {
namespace {

TEST(Clock, FormatsSecondsAsUtc) {
  EXPECT_EQ(format_utc(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_utc(1'795'619'045'999'999'999), "2026-11-25T15:04:05Z");
  EXPECT_EQ(format_utc(951'782'400'000'000'000), "2000-02-29T00:00:00Z");
}

TEST(Clock, FormatsTimesBefore1970AsTheSecondTheyLieIn) {
  EXPECT_EQ(format_utc(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(format_utc(-1'000'000'000), "1969-12-31T23:59:59Z");
}

TEST(Clock, FakeMovesOnlyWhenTold) {
  FakeClock clock(5);
  EXPECT_EQ(clock.unix_ns(), 5);
  EXPECT_EQ(clock.unix_ns(), 5);
  clock.advance_ns(7);
  EXPECT_EQ(clock.unix_ns(), 12);
  EXPECT_EQ(clock.monotonic_ns(), 12);
}

TEST(Clock, SystemClockIsPast2020AndNeverGoesBack) {
  const auto clock = make_system_clock();
  EXPECT_GT(clock->unix_ns(), 1'577'836'800'000'000'000);
  const std::int64_t first = clock->monotonic_ns();
  EXPECT_GE(clock->monotonic_ns(), first);
}

}  // namespace
}  // namespace qbuild
