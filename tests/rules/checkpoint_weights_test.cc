#include "rules/checkpoint_weights.h"

#include <gmock/gmock.h>

#include "formats/gguf_metadata.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

// A copy of the trained checkpoint whose rotation is scaled as Llama 3's is.
fs::path scaled(const fs::path& parent) {
  fs::path folder = copy_of_bard(parent);
  Json config = Json::parse(read_text(folder / "config.json"));
  config["rope_scaling"] = Json::object({{"rope_type", "llama3"},
                                         {"factor", 8.0},
                                         {"low_freq_factor", 1.0},
                                         {"high_freq_factor", 4.0},
                                         {"original_max_position_embeddings", 128}});
  write_text(folder / "config.json", config.dump());
  return folder;
}

TEST(CheckpointWeights, AreTheNetworksTensorsInTheOrderOfAFile) {
  const auto files = make_posix_file_system();
  const auto source = open_weights(*files, kBard);
  ASSERT_EQ(source->tensors().size(), 57u);
  EXPECT_EQ(source->tensors()[0].name, "output.weight");
  const auto found =
      std::find_if(source->tensors().begin(), source->tensors().end(),
                   [](const auto& one) { return one.name == "blk.0.attn_q.weight"; });
  ASSERT_NE(found, source->tensors().end());
  const WeightTensor& query = *found;
  EXPECT_EQ(query.stored_name, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(query.permuted_head_dim, 32u);
  EXPECT_EQ(query.stored, DType::kBF16);
  EXPECT_EQ(query.plain, DType::kF32);
  EXPECT_FALSE(query.is_opaque);
  EXPECT_EQ(source->network().block_count, 6u);
}

TEST(CheckpointWeights, TheDivisorsOfAScaledRotationAreATensorAmongTheOthers) {
  const TemporaryFolder folder;
  const auto files = make_posix_file_system();
  const fs::path path = scaled(folder.path());
  const auto source = open_weights(*files, path);
  ASSERT_EQ(source->tensors().size(), 58u);
  const auto at = std::find_if(source->tensors().begin(), source->tensors().end(),
                               [](const auto& one) { return one.name == "rope_freqs.weight"; });
  ASSERT_NE(at, source->tensors().end());
  EXPECT_TRUE(
      std::is_sorted(source->tensors().begin(), source->tensors().end(),
                     [](const auto& a, const auto& b) { return file_order(a.name, b.name); }));
  std::vector<float> factors(at->values());
  source->read(static_cast<std::size_t>(at - source->tensors().begin()), 0,
               std::as_writable_bytes(std::span(factors)));
  EXPECT_EQ(factors, formats::llama3_rope_factors(formats::read_config(*files, path)));
}

TEST(CheckpointWeights, SayInTheMetadataHowManyThereAre) {
  const TemporaryFolder folder;
  const auto files = make_posix_file_system();
  const auto metadata =
      open_weights(*files, scaled(folder.path()))->metadata({.name = "x", .file_type = 7});
  EXPECT_EQ(formats::require_text(metadata, "general.size_label"), "4.1M");
  EXPECT_EQ(formats::require_uint(metadata, "general.file_type"), 7u);
}

}  // namespace
}  // namespace qbuild::rules
