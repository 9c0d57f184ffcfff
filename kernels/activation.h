#pragma once
// Elementwise functions of a network. Pure; any thread; the same bits on every backend.

#include <span>

#include "kernels/backend.h"

namespace qbuild::kernels {

// gate[i] = silu(gate[i]) * up[i], silu(z) = z / (1 + exp(-z)).
void silu_multiply(Backend backend, std::span<const float> up, std::span<float> gate);

// x[i] = exp(x[i]): our own, within 1 ulp for normal results; 0 below -87.33, infinity above 88.72.
void exponential(Backend backend, std::span<float> x);

// x[i] += y[i].
void add(Backend backend, std::span<const float> y, std::span<float> x);

}  // namespace qbuild::kernels
