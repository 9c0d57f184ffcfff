#pragma once
// How failures name a store and the way out. Within this room only.

#include <fmt/core.h>

#include <string>
#include <utility>

#include "base/error.h"
#include "base/file_system.h"

namespace qbuild::cache {

inline std::string place_of(const fs::path& root) {
  return fmt::format("store {} ($QBUILD_STORE or --store names another folder)", root.string());
}

// Whether another folder might not have this failure.
inline bool is_of_place(const Error& error) {
  return error.kind() == ErrorKind::kDenied || error.kind() == ErrorKind::kExhausted;
}

// Runs `body`; a failure that another folder would not have says how to choose one.
template <typename Body>
decltype(auto) at_store(const fs::path& root, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    if (is_of_place(error)) error.add_context(place_of(root));
    throw;
  }
}

}  // namespace qbuild::cache
