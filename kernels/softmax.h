#pragma once
// Softmax and the likelihood of one token, by the defined numerics (kernels/numerics.h).

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/backend.h"

namespace qbuild::kernels {

// In place: e = exp(x - max), then e * (1 / sum). An empty row stays empty. Pure; any thread.
void softmax(Backend backend, std::span<float> row);

// -log of the probability that softmax(logits) gives `token`: ln(sum of exp(x - max)) - (x[token] -
// max), in f64. Not-a-number if any logit is. token < logits.size(). Source: docs/network.md.
[[nodiscard]] double negative_log_likelihood(Backend backend, std::span<const float> logits,
                                             std::size_t token);

}  // namespace qbuild::kernels
