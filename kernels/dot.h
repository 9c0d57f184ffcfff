#pragma once
// The product for one token at a time, as fast as the machine can: for `run` and `speed` only. It
// sums in an order of its own, so its results differ between backends in the last bits; they are
// within kDotTolerance of the defined product, relative to the sum of the products' magnitudes.

#include <cstddef>
#include <span>

#include "base/thread_pool.h"
#include "kernels/backend.h"
#include "kernels/matmul.h"

namespace qbuild::kernels {

inline constexpr float kDotTolerance = 2e-5F;

// x: w.columns values, out: w.rows values. Activations take the form that kReference names.
void matvec(Backend backend, ThreadPool& pool, const WeightView& w, std::span<const float> x,
            std::span<float> out);

// Causal attention of the token at the last position: shapes as in kernels/matmul_attention.h,
// tokens = 1.
struct AttentionShape;
void attend_one(Backend backend, const AttentionShape& shape, std::span<const float> query,
                std::size_t positions, std::span<const float> keys, std::span<const float> values,
                std::span<float> out);

}  // namespace qbuild::kernels
