#include "formats/config.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::HasSubstr;

// The least that a file must say, with more members behind.
Json config_json(const std::string& more = "") {
  return Json::parse(
      R"({"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":64,)"
      R"("intermediate_size":128,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100,)"
      R"("max_position_embeddings":512)" +
      (more.empty() ? "" : "," + more) + "}");
}
ModelConfig parse(const std::string& more = "") {
  return parse_config(config_json(more), "config.json");
}

Error refusal_without(std::string_view key) {
  Json json = config_json();
  std::erase_if(json.as_object(), [&](const Json::Member& member) { return member.first == key; });
  return error_of([&] { static_cast<void>(parse_config(json, "config.json")); });
}

TEST(Config, TakesTheLibrarysDefaultsForWhatIsLeftOut) {
  const ModelConfig config = parse();
  EXPECT_EQ(config.num_key_value_heads, 4U);
  EXPECT_FALSE(config.head_dim.has_value());
  EXPECT_EQ(config.effective_head_dim(), 16U);
  EXPECT_EQ(config.rms_norm_eps, 1e-6);
  EXPECT_EQ(config.rope.theta, 10000.0);
  EXPECT_EQ(config.rope.type, "default");
  EXPECT_EQ(config.hidden_act, "silu");
  EXPECT_FALSE(config.tie_word_embeddings);
  EXPECT_FALSE(config.attention_bias);
}

TEST(Config, ReadsWhatTransformers4Writes) {
  const ModelConfig config = parse(
      R"("rope_theta":500000.0,"rope_scaling":{"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,)"
      R"("original_max_position_embeddings":8192,"rope_type":"llama3"},"torch_dtype":"bfloat16")");
  EXPECT_EQ(config.rope.theta, 500000.0);
  EXPECT_EQ(config.rope.type, "llama3");
  EXPECT_EQ(config.rope.factor, 8.0);
  EXPECT_EQ(config.rope.original_max_position_embeddings, 8192U);
}

TEST(Config, ReadsWhatTransformers5Writes) {
  const ModelConfig config = parse(
      R"("rope_parameters":{"rope_theta":500000.0,"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,)"
      R"("original_max_position_embeddings":8192,"rope_type":"llama3"},"dtype":"bfloat16")");
  EXPECT_EQ(config.rope.theta, 500000.0);
  EXPECT_EQ(config.rope.type, "llama3");
  EXPECT_EQ(config.rope.factor, 8.0);
  EXPECT_EQ(config.rope.original_max_position_embeddings, 8192U);
}

TEST(Config, ReadsParametersNestedByKindOfLayer) {
  const ModelConfig config = parse(
      R"("rope_parameters":{"full_attention":{"rope_theta":1000000.0,"rope_type":"linear","factor":2.0},)"
      R"("sliding_attention":{"rope_theta":10000.0}})");
  EXPECT_EQ(config.rope.theta, 1000000.0);
  EXPECT_EQ(config.rope.type, "linear");
}

TEST(Config, AcceptsTheOldNameOfTheKindOfScaling) {
  EXPECT_EQ(parse(R"("rope_scaling":{"type":"linear","factor":4.0})").rope.type, "linear");
  EXPECT_EQ(parse(R"("rope_scaling":{"type":"x","rope_type":"yarn","factor":4.0})").rope.type,
            "yarn");
  EXPECT_EQ(parse(R"("rope_scaling":null)").rope.type, "default");
}

TEST(Config, LaysTextConfigOverTheRoot) {
  const ModelConfig config = parse(R"("text_config":{"hidden_size":96,"head_dim":24})");
  EXPECT_EQ(config.hidden_size, 96U);
  EXPECT_EQ(config.effective_head_dim(), 24U);
}

TEST(Config, NamesFileAndKeyOfWhatIsMissing) {
  for (const std::string_view key : {"hidden_size", "intermediate_size", "num_hidden_layers",
                                     "num_attention_heads", "vocab_size"}) {
    const Error error = refusal_without(key);
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << key;
    EXPECT_THAT(error.message(), HasSubstr("config.json: " + std::string(key))) << key;
    EXPECT_THAT(error.message(), HasSubstr("is missing")) << key;
  }
}

TEST(Config, NamesFileAndKeyOfWhatHasTheWrongType) {
  const auto message = [](const std::string& more) {
    return error_of([&] { static_cast<void>(parse(more)); }).message();
  };
  EXPECT_EQ(message(R"("num_key_value_heads":"four")"),
            "config.json: num_key_value_heads: expected an integer, found a string");
  EXPECT_EQ(message(R"("head_dim":-1)"),
            "config.json: head_dim: expected a number that is not negative, found -1");
  EXPECT_THAT(message(R"("rms_norm_eps":[])"), HasSubstr("rms_norm_eps"));
  EXPECT_THAT(message(R"("rope_parameters":5)"), HasSubstr("rope_parameters"));
  EXPECT_THAT(message(R"("rope_theta":"big")"), HasSubstr("rope_theta"));
  EXPECT_THAT(message(R"("tie_word_embeddings":1)"), HasSubstr("tie_word_embeddings"));
}

TEST(Config, RefusesAZero) {
  Json json = config_json();
  json["num_attention_heads"] = 0;
  EXPECT_EQ(error_of([&] { static_cast<void>(parse_config(json, "config.json")); }).message(),
            "config.json: num_attention_heads: is 0");
}

TEST(Config, NamesAnArchitectureThatIsNotSupported) {
  Json json = config_json();
  json["architectures"] = Json(Json::Array{"GemmaForCausalLM"});
  json["model_type"] = "gemma";
  const Error error = error_of([&] { static_cast<void>(parse_config(json, "config.json")); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(),
            "config.json: the architecture GemmaForCausalLM (model_type \"gemma\") is not "
            "supported yet; supported is "
            "llama (LlamaForCausalLM)");
}

TEST(Config, KnowsALlamaByItsTypeWhereNoClassIsNamed) {
  Json json = config_json();
  json["architectures"] = Json();
  EXPECT_EQ(parse_config(json, "config.json").hidden_size, 64U);
  json["model_type"] = Json();
  EXPECT_THAT(error_of([&] { static_cast<void>(parse_config(json, "config.json")); }).message(),
              HasSubstr("(none given)"));
}

TEST(Config, RefusesWhatIsNoObject) {
  for (const std::string_view text : {"[]", "1", "null", "\"x\""}) {
    EXPECT_NE(
        error_of([&] { static_cast<void>(parse_config(Json::parse(text), "config.json")); }).kind(),
        ErrorKind::kInternal)
        << text;
  }
}

TEST(Config, ReadsTheExampleModel) {
  const auto files = make_posix_file_system();
  const ModelConfig config = read_config(*files, QBUILD_SOURCE_DIR "/examples/models/bard-llama");
  EXPECT_EQ(config.hidden_size, 256U);
  EXPECT_EQ(config.num_key_value_heads, 4U);
  EXPECT_EQ(config.head_dim, 32U);
  EXPECT_EQ(config.rms_norm_eps, 1e-5);
}

TEST(Config, SaysWhichFolderHasNone) {
  FakeFileSystem files;
  files.create_directories("/m");
  EXPECT_EQ(error_of([&] { static_cast<void>(read_config(files, "/m")); }).message(),
            "/m has no config.json");
}

}  // namespace
}  // namespace qbuild::formats
