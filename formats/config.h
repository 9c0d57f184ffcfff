#pragma once
// config.json of a checkpoint, as transformers 4 and 5 write it, reduced to what a decoder network
// needs. Values that the file leaves out get the library's defaults. Source: docs/checkpoint.md.

#include <cstdint>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/json.h"

namespace qbuild::formats {

// rope_parameters (5) or rope_scaling and rope_theta (4).
struct RopeConfig {
  double theta = 10000;
  std::string type = "default";  // default, linear, llama3, yarn, dynamic, longrope, ...
  double factor = 1;
  double low_freq_factor = 1;   // llama3
  double high_freq_factor = 4;  // llama3
  std::optional<std::uint64_t> original_max_position_embeddings;
  std::optional<double> attention_factor;  // yarn
  double beta_fast = 32;                   // yarn
  double beta_slow = 1;                    // yarn
  double partial_rotary_factor = 1;
};

struct ModelConfig {
  std::string place;         // the file's path, for messages
  std::string architecture;  // architectures[0]: "LlamaForCausalLM"
  std::string model_type;    // "llama"
  std::uint64_t hidden_size = 0;
  std::uint64_t intermediate_size = 0;
  std::uint64_t num_hidden_layers = 0;
  std::uint64_t num_attention_heads = 0;
  std::uint64_t num_key_value_heads = 0;  // absent: as many as heads
  std::optional<std::uint64_t> head_dim;  // absent: hidden_size / num_attention_heads
  std::uint64_t vocab_size = 0;
  std::uint64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  std::string hidden_act = "silu";
  bool tie_word_embeddings = false;
  bool attention_bias = false;
  bool mlp_bias = false;
  RopeConfig rope;
  Json raw;  // with text_config laid over the root

  [[nodiscard]] std::uint64_t effective_head_dim() const {
    return head_dim ? *head_dim : num_attention_heads == 0 ? 0 : hidden_size / num_attention_heads;
  }
};

// Throws Error: kNotFound if there is no config.json, kInvalidInput "PATH: KEY: ..." for wrong
// types, needed keys that are missing, counts beyond formats/network_limits.h and factors that no
// rotation can have, kUnsupported for an architecture other than Llama's (the message names both).
[[nodiscard]] ModelConfig read_config(FileSystem& file_system, const fs::path& folder);
[[nodiscard]] ModelConfig parse_config(const Json& json, const std::string& place);

}  // namespace qbuild::formats
