#include "models/generate.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/check.h"
#include "base/error.h"

namespace qbuild::models {

std::vector<std::int32_t> generate(const Network& network, ThreadPool& pool,
                                   std::span<const std::int32_t> prompt,
                                   const GenerateOptions& options, const std::stop_token& stop,
                                   const std::function<void(std::int32_t)>& on_token) {
  if (prompt.empty()) {
    throw Error(ErrorKind::kInvalidInput,
                "generate: the prompt is empty; it needs at least one token");
  }
  const std::size_t positions = prompt.size() + options.max_tokens;
  if (positions > network.hyper_parameters().context) {
    throw Error(
        ErrorKind::kExhausted,
        fmt::format("generate: {} prompt tokens and {} new ones exceed the model's context of {}; "
                    "ask for fewer",
                    prompt.size(), options.max_tokens, network.hyper_parameters().context));
  }
  Sampler sampler(options.sampler);
  KvCache cache = network.make_cache(positions);
  std::vector<std::int32_t> result;
  std::vector<std::int32_t> fresh(prompt.begin(), prompt.end());
  while (result.size() < options.max_tokens) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "generate: cancelled");
    const auto last = static_cast<std::uint32_t>(fresh.size() - 1);
    const SequenceInput input{&cache, fresh, std::span(&last, 1)};
    const std::vector<float> logits = network.forward(std::span(&input, 1), pool, options.products);
    const std::int32_t token = sampler.next(logits);
    const auto& ends = options.stop_tokens;
    if (std::find(ends.begin(), ends.end(), token) != ends.end()) break;
    result.push_back(token);
    if (on_token) on_token(token);
    fresh.assign(1, token);
  }
  return result;
}

}  // namespace qbuild::models
