#pragma once
// RMS norm: y = x / sqrt(mean(x*x) + epsilon) * weight, with (x * scale) rounded before the weight.
// The mean is a sixteen-lane sum (kernels/numerics.h). Source: docs/network.md.

#include <cstddef>
#include <span>

#include "kernels/backend.h"

namespace qbuild::kernels {

// x, out: whole rows of weight.size() values; out may be x. Pure; any thread.
void rms_norm(Backend backend, std::span<const float> x, std::span<const float> weight,
              float epsilon, std::span<float> out);

}  // namespace qbuild::kernels
