#pragma once
// Whether and when a failed attempt is tried again: a pure function, so that a test is a table.

#include <cstdint>
#include <optional>

#include "base/error.h"

namespace qbuild::engine {

struct Attempt {
  ErrorKind error = ErrorKind::kInternal;
  int number = 1;           // of the attempt that failed, from 1
  int max_attempts = 1;     // RuleTraits::max_attempts
  std::int64_t now_ns = 0;  // any clock; spreads the waits of those who failed together
};

// How long to wait before the next attempt; nothing if there is none. Only transient errors are
// tried again. Waits double from 0.5 s to at most 30 s, each shortened by up to a quarter.
[[nodiscard]] std::optional<std::int64_t> retry_delay_ns(const Attempt& attempt);

}  // namespace qbuild::engine
