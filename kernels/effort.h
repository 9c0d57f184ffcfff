#pragma once
// How long an encoder may search.

#include <cstdint>

namespace qbuild::kernels {

enum class Effort : std::uint8_t {
  kDefault,  // as fast as it can be at the reference's error
  kBest,     // more candidates and more rounds, for the least error; several times slower
};

}  // namespace qbuild::kernels
