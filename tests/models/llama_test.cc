#include "models/llama.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

Network tiny(DType dtype = DType::kF32, kernels::Backend backend = kernels::best_backend(),
             kernels::ActivationMode mode = kernels::ActivationMode::kReference) {
  const HyperParameters p = tiny_parameters();
  return Network::from_source(p, TinySource(p, dtype), {backend, mode});
}

constexpr std::array kTypes = {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ5_1};

TEST(LlamaForward, TokenByTokenEqualsTheWholeTextToTheLastBit) {
  const std::vector<std::int32_t> tokens = some_tokens(40);
  for (const DType dtype : kTypes) {
    const Network network = tiny(dtype);
    const std::vector<float> whole = all_logits(network, tokens);
    ThreadPool pool(1);
    KvCache cache = network.make_cache(40);
    std::vector<float> pieces;
    for (std::size_t at = 0, size = 1; at < tokens.size();
         at += size, size = std::min(size + 2, 40 - at)) {
      std::vector<std::uint32_t> wanted(size);
      for (std::size_t i = 0; i < size; ++i) wanted[i] = static_cast<std::uint32_t>(i);
      const SequenceInput input{&cache, std::span(tokens).subspan(at, size), wanted};
      const std::vector<float> logits = network.forward(std::span(&input, 1), pool);
      pieces.insert(pieces.end(), logits.begin(), logits.end());
    }
    EXPECT_EQ(pieces, whole) << dtype_name(dtype);
  }
}

TEST(LlamaForward, DoesNotDependOnTheNumberOfThreads) {
  const std::vector<std::int32_t> tokens = some_tokens(50);
  for (const DType dtype : kTypes) {
    const Network network = tiny(dtype);
    const std::vector<float> one = all_logits(network, tokens, 1);
    EXPECT_EQ(all_logits(network, tokens, 2), one) << dtype_name(dtype);
    EXPECT_EQ(all_logits(network, tokens, 3), one) << dtype_name(dtype);
  }
}

TEST(LlamaForward, DoesNotDependOnTheBackend) {
  const std::vector<std::int32_t> tokens = some_tokens(33);
  for (const DType dtype : kTypes) {
    for (const auto mode : {kernels::ActivationMode::kReference, kernels::ActivationMode::kF32}) {
      const auto scalar = all_logits(tiny(dtype, kernels::Backend::kScalar, mode), tokens);
      EXPECT_EQ(all_logits(tiny(dtype, kernels::best_backend(), mode), tokens), scalar)
          << dtype_name(dtype);
    }
  }
}

TEST(LlamaForward, OfSeveralSequencesEqualsEachAlone) {
  const Network network = tiny();
  const std::vector<std::int32_t> a = some_tokens(21);
  const std::vector<std::int32_t> b = {7, 3, 3, 49, 0};
  KvCache cache_a = network.make_cache(21);
  KvCache cache_b = network.make_cache(5);
  const std::vector<std::uint32_t> wanted_a = {0, 20};
  const std::vector<std::uint32_t> wanted_b = {4};
  const std::array<SequenceInput, 2> inputs = {{{&cache_a, a, wanted_a}, {&cache_b, b, wanted_b}}};
  ThreadPool pool(2);
  const std::vector<float> together = network.forward(inputs, pool);
  const std::vector<float> alone_a = all_logits(network, a);
  const std::vector<float> alone_b = all_logits(network, b);
  ASSERT_EQ(together.size(), 150U);
  EXPECT_TRUE(std::equal(together.begin(), together.begin() + 50, alone_a.begin()));
  EXPECT_TRUE(std::equal(together.begin() + 50, together.begin() + 100, alone_a.begin() + 20 * 50));
  EXPECT_TRUE(std::equal(together.begin() + 100, together.end(), alone_b.begin() + 4 * 50));
}

TEST(LlamaForward, FillsTheCacheWhenNoLogitsAreWanted) {
  const Network network = tiny();
  const std::vector<std::int32_t> tokens = some_tokens(12);
  KvCache cache = network.make_cache(12);
  ThreadPool pool(1);
  const SequenceInput first{&cache, std::span(tokens).first(11), {}};
  EXPECT_TRUE(network.forward(std::span(&first, 1), pool).empty());
  EXPECT_EQ(cache.length(), 11U);
  const std::uint32_t wanted = 0;
  const SequenceInput last{&cache, std::span(tokens).subspan(11), std::span(&wanted, 1)};
  const std::vector<float> logits = network.forward(std::span(&last, 1), pool);
  const std::vector<float> whole = all_logits(network, tokens);
  EXPECT_TRUE(std::equal(logits.begin(), logits.end(), whole.end() - 50));
}

TEST(LlamaForward, WithFastProductsIsNearTheDefinedOne) {
  const std::vector<std::int32_t> tokens = some_tokens(9);
  for (const DType dtype : kTypes) {
    const Network network = tiny(dtype);
    const std::vector<float> defined = all_logits(network, tokens);
    ThreadPool pool(2);
    KvCache cache = network.make_cache(9);
    for (std::size_t t = 0; t < 9; ++t) {
      const std::uint32_t wanted = 0;
      const SequenceInput input{&cache, std::span(tokens).subspan(t, 1), std::span(&wanted, 1)};
      const std::vector<float> logits =
          network.forward(std::span(&input, 1), pool, Products::kFast);
      // A last-bit difference may move a quantized activation by one step.
      for (std::size_t i = 0; i < 50; ++i) EXPECT_NEAR(logits[i], defined[t * 50 + i], 0.1F);
    }
  }
}

TEST(LlamaForward, SeesEarlierTokensAndNoLaterOnes) {
  const Network network = tiny();
  std::vector<std::int32_t> tokens = some_tokens(20);
  const std::vector<float> before = all_logits(network, tokens);
  tokens[10] = 44;
  const std::vector<float> after = all_logits(network, tokens);
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + 10 * 50, after.begin()));
  for (std::size_t t = 10; t < 20; ++t) {
    EXPECT_NE(before[t * 50], after[t * 50]) << t;
  }
}

TEST(LlamaForward, AddsBiasesWhereTheSourceHasThem) {
  const HyperParameters p = tiny_parameters();
  TinySource source(p);
  const auto plain = all_logits(Network::from_source(p, source, {}), some_tokens(3));
  source.tensors["model.layers.1.mlp.down_proj.bias"] = {1, 64, true, std::vector<float>(64, 0.0F)};
  EXPECT_EQ(all_logits(Network::from_source(p, source, {}), some_tokens(3)), plain);
  source.tensors["model.layers.1.mlp.down_proj.bias"].values[5] = 2.0F;
  EXPECT_NE(all_logits(Network::from_source(p, source, {}), some_tokens(3)), plain);
}

TEST(LlamaForward, WithTiedOutputUsesTheEmbedding) {
  HyperParameters p = tiny_parameters();
  TinySource source(p);
  source.tensors["lm_head.weight"] = source.tensors["model.embed_tokens.weight"];
  const auto untied = all_logits(Network::from_source(p, source, {}), some_tokens(3));
  source.tensors.erase("lm_head.weight");
  p.tied_output = true;
  EXPECT_EQ(all_logits(Network::from_source(p, source, {}), some_tokens(3)), untied);
}

}  // namespace
}  // namespace qbuild::models
