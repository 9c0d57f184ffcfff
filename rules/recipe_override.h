#pragma once
// A user's own rule: for tensors whose name matches, in those layers, this type instead of the
// recipe's.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "rules/tensor_role.h"

namespace qbuild::rules {

struct Override {
  std::string match;  // a regular expression (ECMAScript), searched in the name
  // First and last layer, negative ones from the end (-1 is the last); none: every tensor.
  std::vector<std::pair<int, int>> layers;
  DType type = DType::kF32;
};

// For each tensor, in the order of `tensors`, the first override that takes it, or null. Only
// tensors that are quantized are taken.
// Throws Error (kInvalidInput) for a bad expression, and for an override that matches no tensor;
// the message says in which layers it was to, and which the network has.
[[nodiscard]] std::vector<const Override*> match_overrides(std::span<const Override> overrides,
                                                           std::span<const TensorSpec> tensors,
                                                           std::string_view architecture,
                                                           std::uint32_t block_count);

}  // namespace qbuild::rules
