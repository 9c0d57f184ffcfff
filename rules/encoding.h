#pragma once
// How a tensor is to be encoded.

#include "base/dtype.h"
#include "kernels/effort.h"

namespace qbuild::rules {

struct Encoding {
  DType type = DType::kF32;
  kernels::Effort effort = kernels::Effort::kDefault;
  bool operator==(const Encoding&) const = default;
};

}  // namespace qbuild::rules
