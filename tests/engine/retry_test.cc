#include "engine/retry.h"

#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

TEST(Retry, OnlyTransientErrorsAreTriedAgain) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInternal); ++kind) {
    const auto error = static_cast<ErrorKind>(kind);
    EXPECT_EQ(retry_delay_ns({.error = error, .number = 1, .max_attempts = 9}).has_value(),
              error == ErrorKind::kTransient);
  }
}

TEST(Retry, LastAttemptIsTheLast) {
  EXPECT_TRUE(retry_delay_ns({.error = ErrorKind::kTransient, .number = 3, .max_attempts = 4}));
  EXPECT_FALSE(retry_delay_ns({.error = ErrorKind::kTransient, .number = 4, .max_attempts = 4}));
  EXPECT_FALSE(retry_delay_ns({.error = ErrorKind::kTransient}));
}

TEST(Retry, WaitsGrowToABound) {
  const std::int64_t full_ns[]{500'000'000,   1'000'000'000,  2'000'000'000,  4'000'000'000,
                               8'000'000'000, 16'000'000'000, 30'000'000'000, 30'000'000'000};
  int number = 1;
  for (const std::int64_t full : full_ns) {
    for (std::int64_t now = 0; now < 50; ++now) {
      const std::int64_t delay = *retry_delay_ns(
          {.error = ErrorKind::kTransient, .number = number, .max_attempts = 99, .now_ns = now});
      EXPECT_LE(delay, full);
      EXPECT_GT(delay, full / 4 * 3 - 1);
    }
    ++number;
  }
}

TEST(Retry, SpreadsThoseWhoFailedTogether) {
  const Attempt attempt{
      .error = ErrorKind::kTransient, .number = 1, .max_attempts = 2, .now_ns = 1};
  Attempt later = attempt;
  later.now_ns = 2;
  EXPECT_EQ(retry_delay_ns(attempt), retry_delay_ns(attempt));
  EXPECT_NE(retry_delay_ns(attempt), retry_delay_ns(later));
}

TEST(Retry, HugeAttemptNumbersDoNotOverflow) {
  EXPECT_LE(*retry_delay_ns({.error = ErrorKind::kTransient,
                             .number = 2'000'000'000,
                             .max_attempts = 2'100'000'000,
                             .now_ns = INT64_MAX}),
            30'000'000'000);
}

}  // namespace
}  // namespace qbuild::engine
