// Numbers of a network in a GGUF that make none, and what is said of each.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>

#include "formats/gguf_writer.h"
#include "models/gguf_source.h"
#include "tests/base/expect_error.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

using formats::GgufMetadata;
using formats::GgufValue;
using test::error_of;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct BrokenKey {
  std::string name;
  std::string key;  // without "llama."
  GgufValue value;
  std::string message;
};

void PrintTo(const BrokenKey& key, std::ostream* out) {
  *out << key.name;
}

// With scaling of the kind that reads every number.
GgufMetadata scaled_metadata() {
  return {{"general.architecture", GgufValue::text("llama")},
          {"llama.block_count", GgufValue::u32(2)},
          {"llama.context_length", GgufValue::u32(64)},
          {"llama.embedding_length", GgufValue::u32(64)},
          {"llama.feed_forward_length", GgufValue::u32(96)},
          {"llama.attention.head_count", GgufValue::u32(4)},
          {"llama.attention.layer_norm_rms_epsilon", GgufValue::f32(1e-5F)},
          {"llama.rope.scaling.type", GgufValue::text("yarn")},
          {"llama.rope.scaling.factor", GgufValue::f32(4)},
          {"llama.vocab_size", GgufValue::u32(50)}};
}

class NetworkThatCannotBe : public testing::TestWithParam<BrokenKey> {};

TEST_P(NetworkThatCannotBe, IsRefused) {
  const std::string key = "llama." + GetParam().key;
  GgufMetadata metadata = scaled_metadata();
  static_cast<void>(parameters_from_gguf(metadata, "m.gguf"));
  std::erase_if(metadata, [&](const auto& pair) { return pair.key == key; });
  metadata.push_back({key, GetParam().value});
  const Error error =
      error_of([&] { static_cast<void>(parameters_from_gguf(metadata, "m.gguf")); });
  EXPECT_EQ(error.message(), GetParam().message);
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
}

INSTANTIATE_TEST_SUITE_P(
    Counts, NetworkThatCannotBe,
    testing::Values(
        BrokenKey{"ABillionLayers", "block_count", GgufValue::u32(1'000'000'000),
                  "m.gguf: the number of layers is 1000000000, which is not between 1 and 512"},
        BrokenKey{"LayersThatAreAWord", "block_count", GgufValue::text("2"),
                  "m.gguf: the key llama.block_count should be a number from 0, but is string"},
        BrokenKey{"LayersThatAreAFraction", "block_count", GgufValue::f32(2),
                  "m.gguf: the key llama.block_count should be a number from 0, but is f32"},
        BrokenKey{"ZeroHeads", "attention.head_count", GgufValue::u32(0),
                  "m.gguf: the number of heads is 0, which is not between 1 and 262144"},
        BrokenKey{"HeadsThatDoNotDivide", "attention.head_count", GgufValue::u32(5),
                  "m.gguf: 64 values cannot be shared by 5 heads evenly, and "
                  "llama.attention.key_length is not given"},
        BrokenKey{"ZeroKeyHeads", "attention.head_count_kv", GgufValue::u32(0),
                  "m.gguf: the number of key/value heads is 0, which is not between 1 and 262144"},
        BrokenKey{"KeyHeadsThatDoNotDivide", "attention.head_count_kv", GgufValue::u32(3),
                  "m.gguf: 4 heads cannot share 3 key/value heads evenly"},
        BrokenKey{"HiddenSizeOf2To64Less1", "embedding_length",
                  GgufValue{formats::GgufType::kU64, {}, ~std::uint64_t{0}},
                  "m.gguf: 18446744073709551615 values cannot be shared by 4 heads evenly, and "
                  "llama.attention.key_length is not given"},
        BrokenKey{"HiddenSizeBelow0", "embedding_length",
                  GgufValue{formats::GgufType::kI32, {}, std::int64_t{-64}},
                  "m.gguf: the key llama.embedding_length should be a number from 0, but is i32"},
        BrokenKey{"VocabularyOf2To32Less1", "vocab_size", GgufValue::u32(~0U),
                  "m.gguf: the vocabulary is 4294967295, which is not between 1 and 524288"},
        BrokenKey{"ContextOf2To32Less1", "context_length", GgufValue::u32(~0U),
                  "m.gguf: the context length is 4294967295, which is not between 1 and 16777216"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Numbers, NetworkThatCannotBe,
    testing::Values(
        BrokenKey{"EpsilonOfNaN", "attention.layer_norm_rms_epsilon", GgufValue::f32(kNaN),
                  "m.gguf: the epsilon of the norms is nan, which is not between 0 and 1"},
        BrokenKey{"BaseOfInfinity", "rope.freq_base", GgufValue::f32(kInfinity),
                  "m.gguf: the base of the rotation is inf, which is not above 1"},
        BrokenKey{"BaseBelow0", "rope.freq_base", GgufValue::f32(-10000),
                  "m.gguf: the base of the rotation is -10000, which is not above 1"},
        BrokenKey{"FactorBelow0", "rope.scaling.factor", GgufValue::f32(-4),
                  "m.gguf: the rotation's scaling factor is -4, which is not above 0"},
        BrokenKey{"FactorOfNaN", "rope.scaling.factor", GgufValue::f32(kNaN),
                  "m.gguf: the rotation's scaling factor is nan, which is not above 0"},
        BrokenKey{"OriginalContextOf0", "rope.scaling.original_context_length", GgufValue::u32(0),
                  "m.gguf: the context before the rotation's scaling is 0, which is not between 1 "
                  "and 16777216"},
        BrokenKey{"AttentionFactorOfInfinity", "rope.scaling.attn_factor",
                  GgufValue::f32(kInfinity),
                  "m.gguf: llama.rope.scaling.attn_factor is inf, which is not above 0"},
        BrokenKey{"AttentionFactorBelow0", "rope.scaling.attn_factor", GgufValue::f32(-1),
                  "m.gguf: llama.rope.scaling.attn_factor is -1, which is not above 0"},
        BrokenKey{"RotationOfMoreThanAHead", "rope.dimension_count", GgufValue::u32(18),
                  "m.gguf: the rotation covers 18 values of a head of 16; it must be an even "
                  "number of them"},
        BrokenKey{"RotationOfOddLength", "rope.dimension_count", GgufValue::u32(15),
                  "m.gguf: the rotation covers 15 values of a head of 16; it must be an even "
                  "number of them"}),
    [](const auto& row) { return row.param.name; });

TEST(GgufDivisors, ByWhichNothingCanBeDividedAreRefused) {
  for (const float bad : {0.0F, -1.0F, kNaN, kInfinity}) {
    const TestFolder folder;
    const std::vector<float> values = {1, 1, 1, bad, 2, 4, 8, 8};
    const auto files = make_posix_file_system();
    const auto file = files->create(folder.path() / "m.gguf", CreateMode::kTruncate);
    formats::GgufWriter writer(*file, scaled_metadata(),
                               {{"rope_freqs.weight", {values.size()}, DType::kF32}});
    writer.append(std::as_bytes(std::span(values)));
    writer.finish();
    file->close();
    const Error error = error_of([&] { GgufSource(*files, folder.path() / "m.gguf"); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_EQ(error.message().substr(folder.path().string().size()),
              "/m.gguf: tensor rope_freqs.weight has the value " +
                  std::string(std::isnan(bad)   ? "nan"
                              : std::isinf(bad) ? "inf"
                              : bad < 0         ? "-1"
                                                : "0") +
                  ", by which nothing can be divided");
  }
}

}  // namespace
}  // namespace qbuild::models
