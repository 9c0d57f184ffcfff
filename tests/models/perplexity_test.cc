#include "models/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

Network network_of(const TinySource& source) {
  return Network::from_source(tiny_parameters(), source,
                              {kernels::best_backend(), kernels::ActivationMode::kF32});
}

std::string message(const TinySource& source, std::span<const std::int32_t> tokens,
                    const PerplexityOptions& options, const std::stop_token& stop = {}) {
  ThreadPool pool(2);
  try {
    static_cast<void>(measure_perplexity(network_of(source), pool, tokens, options, stop));
  } catch (const Error& error) {
    return std::string(error_kind_name(error.kind())) + ": " + error.message();
  }
  return "measured";
}

TEST(Perplexity, IsThatOfTheSecondHalfOfEachChunk) {
  const TinySource source(tiny_parameters());
  const Network network = network_of(source);
  const std::vector<std::int32_t> tokens = some_tokens(70);
  ThreadPool pool(1);
  const PerplexityResult result =
      measure_perplexity(network, pool, tokens, {.context = 20, .first_token = 49});
  EXPECT_EQ(result.chunks, 3U);
  EXPECT_EQ(result.tokens_scored, 27U);  // positions 10 .. 18 of three chunks
  double sum = 0;
  double squares = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    std::vector<std::int32_t> chunk(tokens.begin() + static_cast<std::ptrdiff_t>(20 * c),
                                    tokens.begin() + static_cast<std::ptrdiff_t>(20 * (c + 1)));
    chunk[0] = 49;
    const std::vector<float> logits = all_logits(network, chunk);
    for (std::size_t i = 10; i < 19; ++i) {
      double total = 0;
      for (std::size_t v = 0; v < 50; ++v)
        total += std::exp(static_cast<double>(logits[i * 50 + v]));
      const double nll =
          std::log(total) -
          static_cast<double>(logits[i * 50 + static_cast<std::size_t>(chunk[i + 1])]);
      sum += nll;
      squares += nll * nll;
    }
    EXPECT_NEAR(result.running[c], std::exp(sum / (9.0 * static_cast<double>(c + 1))), 1e-4);
  }
  const double mean = sum / 27;
  EXPECT_NEAR(result.mean_nll, mean, 1e-6);
  EXPECT_NEAR(result.perplexity, std::exp(mean), 1e-4);
  EXPECT_NEAR(result.standard_error, std::exp(mean) * std::sqrt((squares / 27 - mean * mean) / 26),
              1e-4);
}

TEST(Perplexity, DoesNotDependOnBatchesThreadsOrBackend) {
  const TinySource source(tiny_parameters());
  const std::vector<std::int32_t> tokens = some_tokens(160);
  ThreadPool one(1);
  const auto scalar = Network::from_source(
      tiny_parameters(), source, {kernels::Backend::kScalar, kernels::ActivationMode::kF32});
  const PerplexityResult want =
      measure_perplexity(scalar, one, tokens, {.context = 16, .chunks_per_batch = 1});
  ThreadPool three(3);
  EXPECT_EQ(
      measure_perplexity(network_of(source), three, tokens, {.context = 16, .chunks_per_batch = 7}),
      want);
}

TEST(Perplexity, EvaluatesAsManyChunksAsAskedFor) {
  const TinySource source(tiny_parameters());
  const std::vector<std::int32_t> tokens = some_tokens(100);
  ThreadPool pool(1);
  std::vector<std::uint32_t> done;
  const PerplexityResult result = measure_perplexity(
      network_of(source), pool, tokens, {.context = 16, .chunks = 3, .chunks_per_batch = 2}, {},
      [&](const PerplexityProgress& progress) {
        done.push_back(progress.chunks_done);
        EXPECT_EQ(progress.chunks_total, 3U);
      });
  EXPECT_EQ(result.chunks, 3U);
  EXPECT_EQ(done, (std::vector<std::uint32_t>{1, 2, 3}));
}

TEST(Perplexity, OfLogitsThatAreNotNumbersNamesTheChunk) {
  TinySource source(tiny_parameters());
  // Token 34 stands at positions 2, 52, ... of the text: in the fourth chunk of 16, at its first
  // half.
  for (std::size_t i = 0; i < 64; ++i) {
    source.tensors["model.embed_tokens.weight"].values[34 * 64 + i] =
        std::numeric_limits<float>::quiet_NaN();
  }
  std::vector<std::int32_t> tokens = some_tokens(100);
  tokens[2] = 0;
  EXPECT_EQ(message(source, tokens, {.context = 16}),
            "invalid_input: perplexity is not a number: logits of chunk 4 at position 8 are not "
            "finite; the "
            "model's weights are broken");
}

TEST(Perplexity, RefusesTooShortATextAndAContextThatDoesNotFit) {
  const TinySource source(tiny_parameters());
  EXPECT_EQ(message(source, some_tokens(31), {.context = 16}),
            "invalid_input: perplexity: the text has 31 tokens, and at least 32 are needed for a "
            "context of 16; use "
            "a longer text or a smaller context");
  EXPECT_EQ(message(source, some_tokens(300), {.context = 65}),
            "invalid_input: perplexity: a context of 65 is not between 8 and the 64 of the model");
  EXPECT_EQ(message(source, some_tokens(300), {.context = 7}),
            "invalid_input: perplexity: a context of 7 is not between 8 and the 64 of the model");
}

TEST(Perplexity, RefusesTokensOutsideTheVocabulary) {
  std::vector<std::int32_t> tokens = some_tokens(40);
  tokens[17] = 50;
  EXPECT_EQ(message(TinySource(tiny_parameters()), tokens, {.context = 16}),
            "invalid_input: perplexity: token 17 of the text is 50, outside the model's vocabulary "
            "of 50");
}

TEST(Perplexity, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(
      message(TinySource(tiny_parameters()), some_tokens(40), {.context = 16}, stop.get_token()),
      "cancelled: perplexity: cancelled");
}

}  // namespace
}  // namespace qbuild::models
