#include "formats/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "formats/json_file.h"

namespace qbuild::formats {
namespace {

// Checkpoints whose network is Llama's.
constexpr std::array<std::string_view, 2> kLlamaClasses{"LlamaForCausalLM", "LlamaModel"};

// text_config over the root, as multimodal configurations have it.
Json with_text_config(const Json& json) {
  Json merged = json;
  if (const Json* const text = json.find("text_config"); text != nullptr && text->is_object())
    for (const auto& [key, value] : text->as_object()) merged[key] = value;
  return merged;
}

std::uint64_t require_count(const Json& json, std::string_view key) {
  const std::uint64_t value = with_context(key, [&] { return json.at(key).as_uint(); });
  if (value == 0) throw Error(ErrorKind::kInvalidInput, fmt::format("{}: is 0", key));
  return value;
}

std::optional<std::uint64_t> optional_count(const Json& json, std::string_view key) {
  const Json* const value = json.find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return with_context(key, [&] { return value->as_uint(); });
}

std::optional<double> optional_number(const Json& json, std::string_view key) {
  const Json* const value = json.find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return with_context(key, [&] { return value->as_double(); });
}

RopeConfig read_rope(const Json& json) {
  Json parameters = Json::object();
  for (const std::string_view key : {"rope_parameters", "rope_scaling"}) {
    const Json* const found = json.find(key);
    if (found == nullptr || found->is_null()) continue;
    (void)with_context(key, [&]() -> const Json::Object& { return found->as_object(); });
    parameters = *found;
    if (const Json* const full = found->find("full_attention");
        full != nullptr && full->is_object())
      parameters = *full;
    break;
  }
  RopeConfig rope;
  const auto root_theta = optional_number(json, "rope_theta");
  rope.theta = optional_number(parameters, "rope_theta").value_or(root_theta.value_or(rope.theta));
  rope.type = parameters.get_string("rope_type", parameters.get_string("type", "default"));
  rope.factor = parameters.get_double("factor", rope.factor);
  rope.low_freq_factor = parameters.get_double("low_freq_factor", rope.low_freq_factor);
  rope.high_freq_factor = parameters.get_double("high_freq_factor", rope.high_freq_factor);
  rope.original_max_position_embeddings =
      optional_count(parameters, "original_max_position_embeddings");
  if (!rope.original_max_position_embeddings)
    rope.original_max_position_embeddings =
        optional_count(json, "original_max_position_embeddings");
  rope.attention_factor = optional_number(parameters, "attention_factor");
  rope.beta_fast = parameters.get_double("beta_fast", rope.beta_fast);
  rope.beta_slow = parameters.get_double("beta_slow", rope.beta_slow);
  rope.partial_rotary_factor =
      parameters.get_double("partial_rotary_factor", json.get_double("partial_rotary_factor", 1));
  return rope;
}

void read_architecture(const Json& json, ModelConfig& config) {
  if (const Json* const list = json.find("architectures"); list != nullptr && !list->is_null()) {
    const auto& names =
        with_context("architectures", [&]() -> const Json::Array& { return list->as_array(); });
    if (!names.empty())
      config.architecture = with_context("architectures", [&] { return names[0].as_string(); });
  }
  config.model_type = json.get_string("model_type");
  const bool known = std::find(kLlamaClasses.begin(), kLlamaClasses.end(), config.architecture) !=
                         kLlamaClasses.end() ||
                     (config.architecture.empty() && config.model_type == "llama");
  if (known) return;
  const std::string named = config.architecture.empty() ? config.model_type : config.architecture;
  throw Error(
      ErrorKind::kUnsupported,
      fmt::format(
          "the architecture {}{} is not supported yet; supported is llama (LlamaForCausalLM)",
          named.empty() ? "(none given)" : named,
          config.model_type.empty() || config.model_type == named
              ? std::string()
              : fmt::format(" (model_type \"{}\")", config.model_type)));
}

}  // namespace

ModelConfig parse_config(const Json& json, const std::string& place) {
  return with_context(place, [&] {
    ModelConfig config;
    config.place = place;
    config.raw = with_text_config(json);
    const Json& raw = config.raw;
    read_architecture(raw, config);
    config.hidden_size = require_count(raw, "hidden_size");
    config.intermediate_size = require_count(raw, "intermediate_size");
    config.num_hidden_layers = require_count(raw, "num_hidden_layers");
    config.num_attention_heads = require_count(raw, "num_attention_heads");
    config.num_key_value_heads =
        optional_count(raw, "num_key_value_heads").value_or(config.num_attention_heads);
    config.head_dim = optional_count(raw, "head_dim");
    config.vocab_size = require_count(raw, "vocab_size");
    config.max_position_embeddings = optional_count(raw, "max_position_embeddings").value_or(2048);
    config.rms_norm_eps = raw.get_double("rms_norm_eps", config.rms_norm_eps);
    config.hidden_act = raw.get_string("hidden_act", config.hidden_act);
    config.tie_word_embeddings = raw.get_bool("tie_word_embeddings", false);
    config.attention_bias = raw.get_bool("attention_bias", false);
    config.mlp_bias = raw.get_bool("mlp_bias", false);
    config.rope = read_rope(raw);
    return config;
  });
}

ModelConfig read_config(FileSystem& file_system, const fs::path& folder) {
  const fs::path path = folder / "config.json";
  return parse_config(read_json_file(file_system, path), path.string());
}

}  // namespace qbuild::formats
