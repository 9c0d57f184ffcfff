#pragma once
// What the processor can do that backends ask for; inside this room. Tests of a backend that the
// machine lacks put an answer of their own in place of processor.cc.

#include <span>
#include <string_view>

#include "kernels/backend.h"

namespace qbuild::kernels {

struct ProcessorFeature {
  std::string_view name;
  bool present;
  Backend since;  // needed by this backend and those after it
};

// Empty if the program was built for another architecture. Any thread.
[[nodiscard]] std::span<const ProcessorFeature> processor_features();

}  // namespace qbuild::kernels
