#pragma once
// Where in which file something stands.

#include <cstdint>

namespace qbuild::manifests {

struct Place {
  std::uint32_t file = 0;    // index into Manifest::files
  std::uint32_t line = 0;    // from 1; 0: it stands nowhere, it is a default
  std::uint32_t column = 0;  // in characters, from 1
  auto operator<=>(const Place&) const = default;
};

}  // namespace qbuild::manifests
