#pragma once
// Perplexity of a text, by the procedure of llama.cpp's tool (docs/network.md): the token stream is
// cut into chunks of `context` tokens; each is evaluated with an empty cache; the predictions of
// the second half (positions context/2 .. context-2, each of the token after it) are scored.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/thread_pool.h"
#include "models/network.h"

namespace qbuild::models {

inline constexpr std::uint32_t kMinPerplexityContext = 8;

struct PerplexityOptions {
  std::uint32_t context = 512;
  std::uint32_t chunks = 0;  // at most; 0 means all of the text
  // Put in place of the first token of every chunk: the BOS, for models that begin with one.
  std::optional<std::int32_t> first_token = {};
  // Chunks that are evaluated together; no influence on the result.
  std::uint32_t chunks_per_batch = 4;
};

struct PerplexityResult {
  double perplexity = 0;
  double standard_error = 0;  // of the perplexity
  double mean_nll = 0;        // natural logarithm, per token
  std::uint64_t tokens_scored = 0;
  std::uint32_t chunks = 0;
  std::uint32_t context = 0;
  std::vector<double> running;  // the perplexity after each chunk

  friend bool operator==(const PerplexityResult&, const PerplexityResult&) = default;
};

struct PerplexityProgress {
  std::uint32_t chunks_done = 0;
  std::uint32_t chunks_total = 0;
  double perplexity = 0;  // so far
};

// tokens: the whole text, tokenized once with its special tokens. Throws kInvalidInput when there
// are fewer than two chunks of tokens, or when a logit is not a number ("perplexity is not a
// number: logits of chunk 3 ..."); kCancelled when `stop` asks. `progress` is called after each
// chunk, in this thread.
[[nodiscard]] PerplexityResult measure_perplexity(
    const Network& network, ThreadPool& pool, std::span<const std::int32_t> tokens,
    const PerplexityOptions& options, const std::stop_token& stop = {},
    const std::function<void(const PerplexityProgress&)>& progress = {});

}  // namespace qbuild::models
