#pragma once
// Second-level scales (kernels/nvfp4_scale.h): beside a weight of NVFP4, `X.weight`, a tensor
// `X.scale` with a factor for each of its matrices, by which readers multiply what comes out of its
// products. A reader that passes one over computes nonsense, so there is one only where llama.cpp
// (October 2026) multiplies by it: which weights those are depends on the architecture. Source:
// docs/types/four-bits.md. Pure; any thread.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/recipe.h"
#include "rules/weight_source.h"

namespace qbuild::rules {

// Part of the key of files that have such scales: raise it when other tensors get one, or other
// factors.
//   1  first
inline constexpr std::string_view kTensorScalesVersion = "1";

// Whether each tensor gets one.
[[nodiscard]] std::vector<bool> scaled_tensors(std::span<const WeightTensor> tensors,
                                               std::span<const TypeChoice> choices,
                                               std::string_view architecture);

// "blk.0.attn_q.scale" for "blk.0.attn_q.weight", nothing for what is no weight.
[[nodiscard]] std::optional<std::string> scale_name(std::string_view tensor);

// How many matrices a tensor has: experts are stacked.
[[nodiscard]] std::uint64_t matrices_of(const WeightTensor& tensor);

}  // namespace qbuild::rules
