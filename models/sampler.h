#pragma once
// Choosing the next token from logits: greedy, or drawn from the softmax at a temperature with
// top-k and top-p. The generator is our own (SplitMix64), so a seed means the same tokens
// everywhere.

#include <cstdint>
#include <span>

#include "models/random.h"

namespace qbuild::models {

struct SamplerOptions {
  double temperature = 0;   // 0: greedy, the lowest id on a tie
  std::uint32_t top_k = 0;  // 0: all
  double top_p = 1.0;       // in (0, 1]
  std::uint64_t seed = 0;
};

// One per sequence; not for several threads at once.
class Sampler {
 public:
  // Throws kInvalidInput for a negative temperature or a top_p outside (0, 1].
  explicit Sampler(const SamplerOptions& options);

  // Throws kInvalidInput if a logit is not a number; logits must not be empty.
  [[nodiscard]] std::int32_t next(std::span<const float> logits);

 private:
  SamplerOptions options_;
  SplitMix64 random_;
};

}  // namespace qbuild::models
