#pragma once
// What fuzz targets do with calls that may refuse their input.

#include <cstdlib>

#include "base/error.h"

namespace qbuild::fuzz {

// Calls it; an Error is a right answer, anything else a finding.
template <typename Call>
void attempt(Call&& call) {
  try {
    call();
  } catch (const Error&) {
    return;
  }
}

// Stops the fuzzer with the input at hand.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace qbuild::fuzz
