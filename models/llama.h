#pragma once
// The forward pass of Llama networks (Llama 1 to 3, SmolLM2, ...) as a list of steps.
// Source: docs/network.md.

#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "models/hyper_parameters.h"
#include "models/network.h"
#include "models/weights.h"

namespace qbuild::models {

struct LlamaModel {
  HyperParameters parameters;
  NetworkOptions options;
  Weights weights;
};

// What Network::forward promises; the caller has checked tokens and caches.
[[nodiscard]] std::vector<float> llama_forward(const LlamaModel& model,
                                               std::span<const SequenceInput> sequences,
                                               ThreadPool& pool, Products products);

}  // namespace qbuild::models
