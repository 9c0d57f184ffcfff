#pragma once
// Runs something that must throw an Error and hands the Error back.

#include <gtest/gtest.h>

#include "base/error.h"

namespace qbuild::test {

template <typename Body>
Error error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return Error(ErrorKind::kInternal, "no Error was thrown");
}

}  // namespace qbuild::test
