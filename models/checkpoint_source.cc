#include "models/checkpoint_source.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/shown.h"

namespace qbuild::models {
namespace {

// Values take the precision that a GGUF has for them, so that both run with the same numbers.
double as_stored(double value) {
  return static_cast<double>(static_cast<float>(value));
}

kernels::RopeParameters rope_parameters(const formats::ModelConfig& config) {
  const formats::RopeConfig& from = config.rope;
  kernels::RopeParameters rope;
  rope.dimensions = static_cast<std::size_t>(static_cast<double>(config.effective_head_dim()) *
                                             from.partial_rotary_factor);
  rope.theta = as_stored(from.theta);
  rope.factor = as_stored(from.factor);
  const std::uint64_t context = config.max_position_embeddings;
  if (from.type == "linear") {
    rope.scaling = kernels::RopeScaling::kLinear;
  } else if (from.type == "llama3") {
    rope.scaling = kernels::RopeScaling::kLlama3;
    rope.factor = from.factor;
    rope.low_frequency_factor = from.low_freq_factor;
    rope.high_frequency_factor = from.high_freq_factor;
    rope.original_context =
        static_cast<double>(from.original_max_position_embeddings.value_or(8192));
  } else if (from.type == "yarn") {
    rope.scaling = kernels::RopeScaling::kYarn;
    rope.original_context =
        static_cast<double>(from.original_max_position_embeddings.value_or(context));
    rope.attention_factor = from.attention_factor.value_or(0);
    rope.beta_fast = from.beta_fast;
    rope.beta_slow = from.beta_slow;
  } else if (from.type != "default" && from.type != "none") {
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format(
            "{}: rotation scaling of type \"{}\" is not supported; default, linear, llama3 and "
            "yarn are",
            config.place, shown(from.type)));
  }
  return rope;
}

}  // namespace

HyperParameters parameters_from_config(const formats::ModelConfig& config) {
  // Without a model_type, read_config has taken it by the name of its class.
  if (!config.model_type.empty()) check_architecture(config.model_type, config.place);
  if (config.hidden_act != "silu" && config.hidden_act != "swish") {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("{}: hidden_act \"{}\" is not supported; silu is", config.place,
                            shown(config.hidden_act)));
  }
  HyperParameters p;
  p.architecture = "llama";
  p.layers = config.num_hidden_layers;
  p.hidden = config.hidden_size;
  p.feed_forward = config.intermediate_size;
  p.heads = config.num_attention_heads;
  p.kv_heads = config.num_key_value_heads;
  p.head_dim = config.effective_head_dim();
  p.vocabulary = config.vocab_size;
  p.context = config.max_position_embeddings;
  p.norm_epsilon = config.rms_norm_eps;
  p.tied_output = config.tie_word_embeddings;
  p.attention_bias = config.attention_bias;
  p.feed_forward_bias = config.mlp_bias;
  p.rope_layout = kernels::RopeLayout::kHalfSplit;
  p.rope = rope_parameters(config);
  check_parameters(p, config.place);
  return p;
}

CheckpointSource::CheckpointSource(FileSystem& file_system, const fs::path& folder)
    : folder_(folder),
      parameters_(parameters_from_config(formats::read_config(file_system, folder))),
      checkpoint_(formats::Checkpoint::open(file_system, folder)) {}

const formats::CheckpointTensor* CheckpointSource::locate(const TensorName& tensor) const {
  if (tensor.role == TensorRole::kRopeFrequencies || tensor.part == TensorPart::kScale)
    return nullptr;
  const std::string name = checkpoint_name(tensor);
  const formats::CheckpointTensor* found = checkpoint_.find(name);
  // A bare LlamaModel names its tensors without the first word.
  constexpr std::string_view kFirstWord = "model.";
  if (found == nullptr && name.starts_with(kFirstWord)) {
    found = checkpoint_.find(std::string_view(name).substr(kFirstWord.size()));
  }
  return found;
}

std::string CheckpointSource::describe(const TensorName& tensor) const {
  return fmt::format("{}: tensor {}", folder_.string(), checkpoint_name(tensor));
}

std::optional<TensorShape> CheckpointSource::find(const TensorName& tensor) const {
  const formats::CheckpointTensor* const found = locate(tensor);
  if (found == nullptr) return std::nullopt;
  TensorShape shape{found->dtype, 1, 1};
  if (found->shape.size() > 2) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} has {} dimensions; at most 2 are expected", describe(tensor),
                            found->shape.size()));
  }
  if (!found->shape.empty()) shape.columns = found->shape.back();
  if (found->shape.size() == 2) shape.rows = found->shape.front();
  return shape;
}

std::vector<std::byte> CheckpointSource::read(const TensorName& tensor) const {
  const formats::CheckpointTensor* const found = locate(tensor);
  std::vector<std::byte> bytes(found->size_bytes);
  checkpoint_.read(*found, 0, bytes);
  return bytes;
}

}  // namespace qbuild::models
