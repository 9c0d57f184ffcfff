#include "formats/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/shown.h"
#include "formats/json_file.h"
#include "formats/network_limits.h"

namespace qbuild::formats {
namespace {

// Checkpoints whose network is Llama's.
constexpr std::array<std::string_view, 2> kLlamaClasses{"LlamaForCausalLM", "LlamaModel"};

// text_config over the root, as multimodal configurations have it.
Json with_text_config(const Json& json) {
  Json merged = json;
  const Json* const text = json.find("text_config");
  if (text == nullptr || !text->is_object()) return merged;
  Json::Object& members = merged.as_object();
  std::map<std::string_view, std::size_t> places;
  for (const auto& [key, value] : json.as_object()) places.emplace(key, places.size());
  for (const auto& [key, value] : text->as_object()) {
    if (const auto found = places.find(key); found != places.end())
      members[found->second].second = value;
    else
      members.emplace_back(key, value);
  }
  return merged;
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kInvalidInput, what);
}

std::uint64_t bounded_count(std::string_view key, std::uint64_t value, std::uint64_t most) {
  if (value == 0) refuse(fmt::format("{}: is 0", key));
  if (value > most) refuse(fmt::format("{}: is {}, which is more than {}", key, value, most));
  return value;
}

std::uint64_t require_count(const Json& json, std::string_view key, std::uint64_t most) {
  return bounded_count(key, with_context(key, [&] { return json.at(key).as_uint(); }), most);
}

std::optional<std::uint64_t> optional_count(const Json& json, std::string_view key,
                                            std::uint64_t most) {
  const Json* const value = json.find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return bounded_count(key, with_context(key, [&] { return value->as_uint(); }), most);
}

std::optional<double> optional_number(const Json& json, std::string_view key) {
  const Json* const value = json.find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return with_context(key, [&] { return value->as_double(); });
}

void require_positive(std::string_view key, double value) {
  if (!(value > 0)) refuse(fmt::format("{}: is {}, which is not above 0", key, value));
}

// What a rotation's parameters say beside its base. Judged is what a computation could not stand;
// the rest where the network is known.
void read_scaling(const Json& parameters, RopeConfig& rope) {
  rope.type = parameters.get_string("rope_type", parameters.get_string("type", "default"));
  const auto number = [&](std::string_view key, double& value) {
    value = optional_number(parameters, key).value_or(value);
    require_positive(key, value);
  };
  number("factor", rope.factor);
  number("low_freq_factor", rope.low_freq_factor);
  number("high_freq_factor", rope.high_freq_factor);
  number("beta_fast", rope.beta_fast);
  number("beta_slow", rope.beta_slow);
  if (!(rope.high_freq_factor > rope.low_freq_factor))
    refuse(fmt::format("high_freq_factor: is {}, which is not above low_freq_factor, {}",
                       rope.high_freq_factor, rope.low_freq_factor));
  rope.original_max_position_embeddings =
      optional_count(parameters, "original_max_position_embeddings", kMaxContext);
  rope.attention_factor = optional_number(parameters, "attention_factor");
  if (rope.attention_factor) require_positive("attention_factor", *rope.attention_factor);
}

RopeConfig read_rope(const Json& json) {
  RopeConfig rope;
  Json parameters = Json::object();
  for (const std::string_view key : {"rope_parameters", "rope_scaling"}) {
    const Json* const found = json.find(key);
    if (found == nullptr || found->is_null()) continue;
    with_context(key, [&] {
      (void)found->as_object();
      const Json* const full = found->find("full_attention");
      parameters = full != nullptr && full->is_object() ? *full : *found;
      read_scaling(parameters, rope);
    });
    break;
  }
  if (!rope.original_max_position_embeddings)
    rope.original_max_position_embeddings =
        optional_count(json, "original_max_position_embeddings", kMaxContext);
  const auto root_theta = optional_number(json, "rope_theta");
  rope.theta = optional_number(parameters, "rope_theta").value_or(root_theta.value_or(rope.theta));
  require_positive("rope_theta", rope.theta);
  rope.partial_rotary_factor =
      parameters.get_double("partial_rotary_factor", json.get_double("partial_rotary_factor", 1));
  if (!(rope.partial_rotary_factor > 0) || !(rope.partial_rotary_factor <= 1))
    refuse(fmt::format("partial_rotary_factor: is {}, which is not above 0 and at most 1",
                       rope.partial_rotary_factor));
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
          named.empty() ? "(none given)" : shown(named),
          config.model_type.empty() || config.model_type == named
              ? std::string()
              : fmt::format(" (model_type \"{}\")", shown(config.model_type))));
}

}  // namespace

ModelConfig parse_config(const Json& json, const std::string& place) {
  return with_context(place, [&] {
    ModelConfig config;
    config.place = place;
    (void)json.as_object();
    config.raw = with_text_config(json);
    const Json& raw = config.raw;
    read_architecture(raw, config);
    config.hidden_size = require_count(raw, "hidden_size", kMaxWidth);
    config.intermediate_size = require_count(raw, "intermediate_size", kMaxWidth);
    config.num_hidden_layers = require_count(raw, "num_hidden_layers", kMaxLayers);
    config.num_attention_heads = require_count(raw, "num_attention_heads", kMaxWidth);
    config.num_key_value_heads =
        optional_count(raw, "num_key_value_heads", kMaxWidth).value_or(config.num_attention_heads);
    config.head_dim = optional_count(raw, "head_dim", kMaxWidth);
    if (!config.head_dim && config.hidden_size % config.num_attention_heads != 0)
      refuse(
          fmt::format("hidden_size: {} values cannot be shared by {} heads evenly, and head_dim "
                      "is not given",
                      config.hidden_size, config.num_attention_heads));
    config.vocab_size = require_count(raw, "vocab_size", kMaxVocabulary);
    config.max_position_embeddings =
        optional_count(raw, "max_position_embeddings", kMaxContext).value_or(2048);
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
