#include "models/gguf_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "formats/gguf_writer.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

using formats::GgufMetadata;
using formats::GgufValue;

GgufMetadata tiny_metadata() {
  return {{"general.architecture", GgufValue::text("llama")},
          {"llama.block_count", GgufValue::u32(2)},
          {"llama.context_length", GgufValue::u32(64)},
          {"llama.embedding_length", GgufValue::u32(64)},
          {"llama.feed_forward_length", GgufValue::u32(96)},
          {"llama.attention.head_count", GgufValue::u32(4)},
          {"llama.attention.layer_norm_rms_epsilon", GgufValue::f32(1e-5F)},
          {"llama.vocab_size", GgufValue::u32(50)}};
}

std::string message(const std::function<void(GgufMetadata&)>& change) {
  GgufMetadata metadata = tiny_metadata();
  change(metadata);
  try {
    static_cast<void>(parameters_from_gguf(metadata, "m.gguf"));
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

TEST(ParametersFromGguf, HaveTheLoadersDefaults) {
  const HyperParameters p = parameters_from_gguf(tiny_metadata(), "m.gguf");
  EXPECT_EQ(p.kv_heads, 4U);
  EXPECT_EQ(p.head_dim, 16U);
  EXPECT_EQ(p.rope.dimensions, 16U);
  EXPECT_EQ(p.rope.theta, 10000.0);
  EXPECT_EQ(p.rope.scaling, kernels::RopeScaling::kNone);
  EXPECT_EQ(p.rope_layout, kernels::RopeLayout::kInterleaved);
}

TEST(ParametersFromGguf, CountTheTokensWhenTheVocabularyIsNotSaid) {
  GgufMetadata metadata = tiny_metadata();
  metadata.back() = {"tokenizer.ggml.tokens", GgufValue::strings({"a", "b", "c"})};
  EXPECT_EQ(parameters_from_gguf(metadata, "m.gguf").vocabulary, 3U);
}

TEST(ParametersFromGguf, TakeLinearAndYarnScaling) {
  GgufMetadata metadata = tiny_metadata();
  metadata.push_back({"llama.rope.scaling.type", GgufValue::text("linear")});
  metadata.push_back({"llama.rope.scaling.factor", GgufValue::f32(4)});
  EXPECT_EQ(parameters_from_gguf(metadata, "m.gguf").rope.scaling, kernels::RopeScaling::kLinear);
  metadata[metadata.size() - 2].value = GgufValue::text("yarn");
  const HyperParameters p = parameters_from_gguf(metadata, "m.gguf");
  EXPECT_EQ(p.rope.scaling, kernels::RopeScaling::kYarn);
  EXPECT_EQ(p.rope.original_context, 64.0);
}

TEST(ParametersFromGguf, RefuseWhatNothingHereRuns) {
  EXPECT_EQ(message([](GgufMetadata& m) { m[0].value = GgufValue::text("qwen2"); }),
            "m.gguf: the architecture \"qwen2\" is not supported; supported is llama (Llama, "
            "SmolLM2, TinyLlama and others of its shape)");
  EXPECT_EQ(message([](GgufMetadata& m) {
              m.push_back({"llama.expert_count", GgufValue::u32(8)});
            }),
            "m.gguf: a mixture of experts is not supported; dense llama models are");
  EXPECT_EQ(
      message([](GgufMetadata& m) {
        m.push_back({"llama.rope.scaling.type", GgufValue::text("longrope")});
      }),
      "m.gguf: rotation scaling of type \"longrope\" is not supported; none, linear and yarn are");
  EXPECT_EQ(message([](GgufMetadata& m) {
              m.push_back({"llama.attention.value_length", GgufValue::u32(8)});
            }),
            "m.gguf: keys and values of different length are not supported");
  EXPECT_NE(message([](GgufMetadata& m) { m.erase(m.begin() + 1); }).find("llama.block_count"),
            std::string::npos);
}

TEST(GgufSource, IsTiedWithoutAnOutputAndReadsTheDivisorsOfTheRotation) {
  const TestFolder folder;
  const std::vector<float> divisors = {1, 1, 1, 1, 2, 4, 8, 8};
  const auto write = [&](const std::vector<float>& values) {
    const auto file =
        make_posix_file_system()->create(folder.path() / "m.gguf", CreateMode::kTruncate);
    formats::GgufWriter writer(*file, tiny_metadata(),
                               {{"rope_freqs.weight", {values.size()}, DType::kF32}});
    writer.append(std::as_bytes(std::span(values)));
    writer.finish();
    file->close();
  };
  write(divisors);
  const auto file_system = make_posix_file_system();
  const GgufSource source(*file_system, folder.path() / "m.gguf");
  EXPECT_TRUE(source.parameters().tied_output);
  EXPECT_EQ(source.parameters().rope.frequency_divisors, divisors);
  write({1, 2, 3});
  try {
    const GgufSource wrong(*file_system, folder.path() / "m.gguf");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(
        error.message(),
        (folder.path() / "m.gguf").string() +
            ": tensor rope_freqs.weight is not 8 values of F32, one for each pair of the rotation");
  }
}

}  // namespace
}  // namespace qbuild::models
