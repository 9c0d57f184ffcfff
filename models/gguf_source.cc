#include "models/gguf_source.h"

#include <fmt/core.h>

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/shown.h"
#include "kernels/math.h"

namespace qbuild::models {
namespace {

using formats::find_value;
using formats::GgufMetadata;

// The keys of one architecture; errors name the file.
class Keys {
 public:
  Keys(const GgufMetadata& metadata, const std::string& place)
      : metadata_(metadata), place_(place) {}

  [[nodiscard]] std::uint64_t need(const std::string& key) const {
    return with_context(place_, [&] { return formats::require_uint(metadata_, "llama." + key); });
  }
  [[nodiscard]] std::uint64_t get(const std::string& key, std::uint64_t fallback) const {
    return has(key) ? need(key) : fallback;
  }
  [[nodiscard]] double need_real(const std::string& key) const {
    return with_context(place_, [&] { return formats::require_float(metadata_, "llama." + key); });
  }
  [[nodiscard]] double get_real(const std::string& key, double fallback) const {
    return has(key) ? need_real(key) : fallback;
  }
  [[nodiscard]] std::string get_text(const std::string& key, const std::string& fallback) const {
    if (!has(key)) return fallback;
    return with_context(place_, [&] { return formats::require_text(metadata_, "llama." + key); });
  }
  [[nodiscard]] bool has(const std::string& key) const {
    return find_value(metadata_, "llama." + key) != nullptr;
  }

 private:
  const GgufMetadata& metadata_;
  const std::string& place_;
};

kernels::RopeParameters rope_parameters(const Keys& keys, const HyperParameters& p,
                                        const std::string& place) {
  kernels::RopeParameters rope;
  rope.dimensions = keys.get("rope.dimension_count", p.head_dim);
  rope.theta = keys.get_real("rope.freq_base", 10000.0);
  const double factor = keys.get_real("rope.scaling.factor", 0);
  rope.factor = factor == 0 ? 1 : factor;
  const std::string type = keys.get_text("rope.scaling.type", "linear");
  if (type == "linear") {
    rope.scaling = rope.factor == 1 ? kernels::RopeScaling::kNone : kernels::RopeScaling::kLinear;
  } else if (type == "yarn") {
    rope.scaling = kernels::RopeScaling::kYarn;
    rope.original_context =
        static_cast<double>(keys.get("rope.scaling.original_context_length", p.context));
    const double attention = keys.get_real("rope.scaling.attn_factor", 1);
    if (!(attention > 0) || !std::isfinite(attention))
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{}: llama.rope.scaling.attn_factor is {}, which is not above 0",
                              place, attention));
    // Of a factor that is none check_parameters says so.
    if (attention != 1 && rope.factor > 0)
      rope.attention_factor = attention * (0.1 * kernels::exact_log(rope.factor) + 1);
  } else if (type != "none") {
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format(
            "{}: rotation scaling of type \"{}\" is not supported; none, linear and yarn are",
            place, shown(type)));
  }
  return rope;
}

}  // namespace

HyperParameters parameters_from_gguf(const GgufMetadata& metadata, const std::string& place) {
  HyperParameters p;
  p.architecture =
      with_context(place, [&] { return formats::require_text(metadata, "general.architecture"); });
  check_architecture(p.architecture, place);
  const Keys keys(metadata, place);
  if (keys.get("expert_count", 0) > 0) {
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format("{}: a mixture of experts is not supported; dense llama models are", place));
  }
  p.layers = keys.need("block_count");
  p.hidden = keys.need("embedding_length");
  p.feed_forward = keys.need("feed_forward_length");
  p.heads = keys.need("attention.head_count");
  p.kv_heads = keys.get("attention.head_count_kv", p.heads);
  p.context = keys.need("context_length");
  p.norm_epsilon = keys.need_real("attention.layer_norm_rms_epsilon");
  p.head_dim = keys.get("attention.key_length", p.heads == 0 ? 0 : p.hidden / p.heads);
  if (p.heads != 0 && p.hidden % p.heads != 0 && !keys.has("attention.key_length")) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{}: {} values cannot be shared by {} heads evenly, and "
                            "llama.attention.key_length is not given",
                            place, p.hidden, p.heads));
  }
  if (keys.get("attention.value_length", p.head_dim) != p.head_dim) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("{}: keys and values of different length are not supported", place));
  }
  p.vocabulary = keys.get("vocab_size", 0);
  if (p.vocabulary == 0) {
    p.vocabulary = with_context(
        place, [&] { return formats::require_texts(metadata, "tokenizer.ggml.tokens").size(); });
  }
  p.rope_layout = kernels::RopeLayout::kInterleaved;
  p.rope = rope_parameters(keys, p, place);
  check_parameters(p, place);
  return p;
}

GgufSource::GgufSource(FileSystem& file_system, const fs::path& path)
    : path_(path),
      parts_(formats::GgufParts::open(file_system, path)),
      parameters_(parameters_from_gguf(parts_.metadata(), path.string())) {
  parameters_.tied_output = parts_.find(gguf_name({TensorRole::kOutput})) == nullptr;
  const TensorName divisors{TensorRole::kRopeFrequencies};
  if (const auto shape = find(divisors)) {
    const std::size_t pairs = parameters_.rope.dimensions / 2;
    if (shape->dtype != DType::kF32 || shape->rows != 1 || shape->columns != pairs) {
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} is not {} values of F32, one for each pair of the rotation",
                              describe(divisors), pairs));
    }
    const std::vector<std::byte> bytes = read(divisors);
    std::vector<float>& values = parameters_.rope.frequency_divisors;
    values.resize(pairs);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    for (const float value : values) {
      if (!(value > 0) || !std::isfinite(value))
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("{} has the value {}, by which nothing can be divided",
                                describe(divisors), value));
    }
  }
}

std::string GgufSource::describe(const TensorName& tensor) const {
  return fmt::format("{}: tensor {}", path_.string(), gguf_name(tensor));
}

std::optional<TensorShape> GgufSource::find(const TensorName& tensor) const {
  const formats::GgufPartTensor* const part = parts_.find(gguf_name(tensor));
  if (part == nullptr) return std::nullopt;
  const formats::GgufTensor* const found = &part->tensor;
  TensorShape shape{found->dtype, 1, 1};
  for (std::size_t i = 0; i < found->shape.size(); ++i) {
    if (i >= 2 && found->shape[i] != 1) {
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} has {} dimensions; at most 2 are expected", describe(tensor),
                              found->shape.size()));
    }
    if (i < 2) (i == 0 ? shape.columns : shape.rows) = found->shape[i];
  }
  return shape;
}

std::vector<std::byte> GgufSource::read(const TensorName& tensor) const {
  const formats::GgufPartTensor* const found = parts_.find(gguf_name(tensor));
  std::vector<std::byte> bytes(found->tensor.size_bytes);
  parts_.read(*found, 0, bytes);
  return bytes;
}

}  // namespace qbuild::models
