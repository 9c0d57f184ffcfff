#include "formats/gguf_metadata.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kModel = QBUILD_SOURCE_DIR "/examples/models/bard-llama";

class BardMetadata : public testing::Test {
 protected:
  [[nodiscard]] GgufMetadata make() const {
    return llama_metadata(general_, config_, tokenizer_, tokenizer_config_);
  }
  Error refusal() {
    return error_of([&] { static_cast<void>(make()); });
  }
  // config.json with a member changed.
  void configure(std::string_view key, Json value) {
    Json json = config_.raw;
    json[key] = std::move(value);
    config_ = parse_config(json, "config.json");
  }
  [[nodiscard]] std::optional<std::uint64_t> uint_of(std::string_view key) const {
    const GgufMetadata metadata = make();
    if (find_value(metadata, key) == nullptr) return std::nullopt;
    return require_uint(metadata, key);
  }

  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  GgufGeneral general_{.name = "bard-llama", .parameters = 4'069'632, .file_type = 15};
  ModelConfig config_ = read_config(*files_, kModel);
  TokenizerJson tokenizer_ = read_tokenizer_json(*files_, kModel);
  TokenizerConfig tokenizer_config_ = read_tokenizer_config(*files_, kModel);
};

TEST_F(BardMetadata, HasTheKeysOfTheReferenceConverterInItsOrder) {
  std::vector<std::string> keys;
  for (const GgufPair& pair : make()) keys.push_back(pair.key);
  std::erase(keys, "tokenizer.chat_template");
  EXPECT_THAT(
      keys,
      ElementsAre("general.architecture", "general.type", "general.name", "general.size_label",
                  "llama.block_count", "llama.context_length", "llama.embedding_length",
                  "llama.feed_forward_length", "llama.attention.head_count",
                  "llama.attention.head_count_kv", "llama.rope.freq_base",
                  "llama.attention.layer_norm_rms_epsilon", "llama.attention.key_length",
                  "llama.attention.value_length", "general.file_type", "llama.vocab_size",
                  "llama.rope.dimension_count", "tokenizer.ggml.model", "tokenizer.ggml.pre",
                  "tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.merges",
                  "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
                  "tokenizer.ggml.padding_token_id", "tokenizer.ggml.add_space_prefix",
                  "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token",
                  "general.quantization_version"));
}

TEST_F(BardMetadata, HasTheValuesOfTheCheckpoint) {
  const GgufMetadata metadata = make();
  EXPECT_EQ(require_text(metadata, "general.size_label"), "4.1M");
  EXPECT_EQ(require_uint(metadata, "llama.block_count"), 6U);
  EXPECT_EQ(require_uint(metadata, "llama.attention.head_count_kv"), 4U);
  EXPECT_EQ(require_uint(metadata, "llama.rope.dimension_count"), 32U);
  EXPECT_EQ(require_float(metadata, "llama.attention.layer_norm_rms_epsilon"), double{1e-5F});
  EXPECT_EQ(require_text(metadata, "tokenizer.ggml.pre"), "llama-bpe");
  EXPECT_EQ(require_texts(metadata, "tokenizer.ggml.tokens").size(), 1024U);
  EXPECT_EQ(require_texts(metadata, "tokenizer.ggml.merges").size(), 765U);
  EXPECT_EQ(require_uint(metadata, "tokenizer.ggml.bos_token_id"), 1021U);
  EXPECT_EQ(require_uint(metadata, "tokenizer.ggml.add_bos_token"), 1U);
  const auto& types =
      std::get<std::vector<std::int64_t>>(find_value(metadata, "tokenizer.ggml.token_type")->value);
  EXPECT_EQ(types[0], 1);
  EXPECT_EQ(types[1023], 3);
}

TEST_F(BardMetadata, LetsTheTemplateDecideOverTheConfiguration) {
  // The tokenizer does what its post-processor says; the file must say the same.
  tokenizer_config_.add_bos_token = false;
  tokenizer_config_.add_eos_token = true;
  EXPECT_EQ(uint_of("tokenizer.ggml.add_bos_token"), 1U);
  EXPECT_EQ(uint_of("tokenizer.ggml.add_eos_token"), 0U);
}

TEST_F(BardMetadata, AsksTheConfigurationWhereThereIsNoTemplate) {
  tokenizer_.post_processor = Json();
  tokenizer_config_.add_bos_token = true;
  EXPECT_EQ(uint_of("tokenizer.ggml.add_bos_token"), 1U);
  tokenizer_config_.add_bos_token = std::nullopt;
  EXPECT_EQ(uint_of("tokenizer.ggml.add_bos_token"), 0U);
}

TEST_F(BardMetadata, FillsIdsThatNoTokenHas) {
  configure("vocab_size", 1026);
  const GgufMetadata metadata = make();
  EXPECT_EQ(require_texts(metadata, "tokenizer.ggml.tokens")[1025], "[PAD1025]");
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(
                find_value(metadata, "tokenizer.ggml.token_type")->value)[1025],
            5);
}

TEST_F(BardMetadata, RefusesMoreTokensThanTheNetworkHas) {
  configure("vocab_size", 1000);
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(),
            "config.json: vocab_size is 1000, but tokenizer.json has ids up to 1023");
}

TEST_F(BardMetadata, RefusesATokenizerThatFallsBackToBytes) {
  tokenizer_.byte_fallback = true;
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("byte_fallback"));
}

TEST_F(BardMetadata, WritesTemplatesUnderTheirNames) {
  tokenizer_config_.chat_templates = {{"", "D"}, {"tool_use", "T"}};
  const GgufMetadata metadata = make();
  EXPECT_EQ(require_text(metadata, "tokenizer.chat_template"), "D");
  EXPECT_EQ(require_text(metadata, "tokenizer.chat_template.tool_use"), "T");
  EXPECT_THAT(require_texts(metadata, "tokenizer.chat_templates"), ElementsAre("tool_use"));
}

TEST_F(BardMetadata, RefusesTemplatesThatWouldShareAName) {
  tokenizer_config_.chat_templates = {{"a-b", "D"}, {"a.b", "T"}};
  EXPECT_EQ(
      refusal().message(),
      "tokenizer_config.json: chat_template: two templates would be called \"a_b\" in a GGUF; "
      "rename one");
}

TEST_F(BardMetadata, StatesLinearAndYarnScaling) {
  configure("rope_scaling", Json::parse(R"({"type":"linear","factor":4.0})"));
  EXPECT_EQ(require_text(make(), "llama.rope.scaling.type"), "linear");
  EXPECT_EQ(require_float(make(), "llama.rope.scaling.factor"), 4.0);
  configure(
      "rope_scaling",
      Json::parse(R"({"rope_type":"yarn","factor":2.0,"original_max_position_embeddings":512})"));
  EXPECT_EQ(require_text(make(), "llama.rope.scaling.type"), "yarn");
  EXPECT_EQ(uint_of("llama.rope.scaling.original_context_length"), 512U);
  EXPECT_TRUE(llama3_rope_factors(config_).empty());
}

TEST_F(BardMetadata, RefusesScalingThatNoGgufCanState) {
  configure("rope_scaling", Json::parse(R"({"type":"dynamic","factor":4.0})"));
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(),
            "config.json: rope_scaling of type \"dynamic\" cannot be said in a GGUF of this "
            "architecture; default, "
            "linear, llama3 and yarn can");
}

TEST_F(BardMetadata, ScalesLlama3sFrequenciesInThreeRanges) {
  configure("head_dim", 128);
  configure("rope_theta", 500000.0);
  configure("rope_scaling",
            Json::parse(R"({"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,)"
                        R"("high_freq_factor":4.0,"original_max_position_embeddings":8192})"));
  const std::vector<float> factors = llama3_rope_factors(config_);
  ASSERT_EQ(factors.size(), 64U);
  EXPECT_EQ(factors[0], 1.0F);
  EXPECT_EQ(factors[28], 1.0F);
  EXPECT_EQ(factors[63], 8.0F);
  EXPECT_TRUE(std::is_sorted(factors.begin(), factors.end()));
  // Pair 30 by hand: wavelength 2 pi 500000^(60/128) = 2947.35, smooth (8192/2947.35 - 1) / 3 =
  // 0.59314.
  EXPECT_NEAR(factors[30], 1.0 / ((1 - 0.59314) / 8 + 0.59314), 1e-3);
  EXPECT_EQ(find_value(make(), "llama.rope.scaling.type"), nullptr);
}

TEST_F(BardMetadata, DigestsEachPartByItself) {
  const GgufDigests before = digest_metadata(make());
  tokenizer_config_.chat_templates = {{"", "another"}};
  const GgufDigests after = digest_metadata(make());
  EXPECT_EQ(before.hyperparameters, after.hyperparameters);
  EXPECT_EQ(before.tokenizer, after.tokenizer);
  EXPECT_EQ(before.general, after.general);
  EXPECT_NE(before.chat_template, after.chat_template);

  general_.name = "another";
  EXPECT_NE(digest_metadata(make()).general, after.general);
  EXPECT_EQ(digest_metadata(make()).hyperparameters, after.hyperparameters);

  configure("rope_theta", 20000.0);
  EXPECT_NE(digest_metadata(make()).hyperparameters, after.hyperparameters);
  EXPECT_EQ(digest_metadata(make()).tokenizer, after.tokenizer);

  std::swap(tokenizer_.merges[0], tokenizer_.merges[1]);
  EXPECT_NE(digest_metadata(make()).tokenizer, after.tokenizer);
  EXPECT_EQ(after.general.size(), 64U);
}

TEST(SizeLabel, HasTwoFiguresAndAUnit) {
  EXPECT_EQ(size_label(4'069'632), "4.1M");
  EXPECT_EQ(size_label(134'515'008), "135M");
  EXPECT_EQ(size_label(1'100'048'384), "1.1B");
  EXPECT_EQ(size_label(70'553'706'496), "71B");
  EXPECT_EQ(size_label(1'500), "1.5K");
}

}  // namespace
}  // namespace qbuild::formats
