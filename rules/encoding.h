#pragma once
// How a tensor is to be encoded.

#include <memory>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "kernels/effort.h"

namespace qbuild::rules {

// How much the columns of a tensor matter: one number for each, for each of its matrices.
struct ColumnImportance {
  std::string digest;                                 // of the numbers; "": all matter alike
  std::shared_ptr<const std::vector<float>> columns;  // null: all matter alike
  bool operator==(const ColumnImportance& other) const { return digest == other.digest; }
};

struct Encoding {
  DType type = DType::kF32;
  kernels::Effort effort = kernels::Effort::kDefault;
  ColumnImportance importance = {};
  // Whether the values are divided by a factor for each of the tensor's matrices, which stands
  // beside it (rules/tensor_scale.h); and the factors, once they are known.
  bool is_scaled = false;
  std::shared_ptr<const std::vector<float>> scales = {};
  bool operator==(const Encoding&) const = default;
};

}  // namespace qbuild::rules
