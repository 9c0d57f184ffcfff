#pragma once
// The loop that continues a prompt.

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/thread_pool.h"
#include "models/network.h"
#include "models/sampler.h"

namespace qbuild::models {

struct GenerateOptions {
  std::uint32_t max_tokens = 64;
  SamplerOptions sampler = {};
  std::vector<std::int32_t> stop_tokens = {};  // ends after one of these, which is not returned
  Products products = Products::kFast;
};

// Continues `prompt` (not empty) by at most max_tokens and returns the new tokens. Throws
// kExhausted when prompt and continuation exceed the network's context, kCancelled when `stop`
// asks. `on_token` hears each token as it comes.
[[nodiscard]] std::vector<std::int32_t> generate(
    const Network& network, ThreadPool& pool, std::span<const std::int32_t> prompt,
    const GenerateOptions& options, const std::stop_token& stop = {},
    const std::function<void(std::int32_t)>& on_token = {});

}  // namespace qbuild::models
