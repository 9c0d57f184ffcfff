#include "tests/models/tiny_network.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/file_system.h"
#include "base/json.h"
#include "formats/gguf_writer.h"
#include "kernels/codec.h"
#include "models/random.h"

namespace qbuild::models {
namespace {

std::vector<TensorName> tensor_names(const HyperParameters& p) {
  std::vector<TensorName> names = {{TensorRole::kTokenEmbedding}, {TensorRole::kOutputNorm}};
  if (!p.tied_output) names.push_back({TensorRole::kOutput});
  for (std::uint32_t layer = 0; layer < p.layers; ++layer) {
    for (auto role = static_cast<int>(TensorRole::kAttentionNorm);
         role <= static_cast<int>(TensorRole::kDown); ++role) {
      names.push_back({static_cast<TensorRole>(role), TensorPart::kWeight, layer});
    }
  }
  return names;
}

TinyTensor make_tensor(const HyperParameters& p, TensorRole role) {
  switch (role) {
    case TensorRole::kTokenEmbedding:
    case TensorRole::kOutput:
      return {p.vocabulary, p.hidden, false, {}};
    case TensorRole::kQuery:
      return {p.query_width(), p.hidden, false, {}};
    case TensorRole::kKey:
    case TensorRole::kValue:
      return {p.kv_width(), p.hidden, false, {}};
    case TensorRole::kAttentionOutput:
      return {p.hidden, p.query_width(), false, {}};
    case TensorRole::kGate:
    case TensorRole::kUp:
      return {p.feed_forward, p.hidden, false, {}};
    case TensorRole::kDown:
      return {p.hidden, p.feed_forward, false, {}};
    default:
      return {1, p.hidden, true, {}};
  }
}

std::string bytes_of(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Scales, which no checkpoint has, are named as if one had them.
TensorName name_of(const std::string& name) {
  constexpr std::string_view kScale = ".scale";
  if (!name.ends_with(kScale)) return *tensor_from_checkpoint_name(name);
  auto weight =
      *tensor_from_checkpoint_name(name.substr(0, name.size() - kScale.size()) + ".weight");
  weight.part = TensorPart::kScale;
  return weight;
}

void write(const std::filesystem::path& path, std::string_view text) {
  publish_file(*make_posix_file_system(), path, as_bytes(text));
}

}  // namespace

HyperParameters tiny_parameters() {
  HyperParameters p;
  p.architecture = "llama";
  p.layers = 2;
  p.hidden = 64;
  p.feed_forward = 96;
  p.heads = 4;
  p.kv_heads = 2;
  p.head_dim = 16;
  p.vocabulary = 50;
  p.context = 64;
  p.norm_epsilon = 1e-5;
  p.rope.dimensions = 16;
  return p;
}

TinySource::TinySource(const HyperParameters& parameters, DType dtype) : dtype_(dtype) {
  SplitMix64 random(7);
  for (const TensorName& name : tensor_names(parameters)) {
    TinyTensor tensor = make_tensor(parameters, name.role);
    tensor.values.resize(tensor.rows * tensor.columns);
    for (float& value : tensor.values) {
      value = static_cast<float>(random.next_unit() - 0.5) + (tensor.is_vector ? 1.0F : 0.0F);
    }
    tensors[checkpoint_name(name)] = std::move(tensor);
  }
}

std::string TinySource::describe(const TensorName& tensor) const {
  return "tiny: tensor " + checkpoint_name(tensor);
}

std::optional<TensorShape> TinySource::find(const TensorName& tensor) const {
  const auto found = tensors.find(checkpoint_name(tensor));
  if (found == tensors.end()) return std::nullopt;
  return TensorShape{found->second.is_vector ? DType::kF32 : dtype_, found->second.rows,
                     found->second.columns};
}

std::vector<std::byte> TinySource::read(const TensorName& tensor) const {
  const TinyTensor& found = tensors.at(checkpoint_name(tensor));
  const DType dtype = found.is_vector ? DType::kF32 : dtype_;
  std::vector<std::byte> bytes(*row_bytes(dtype, found.columns) * found.rows);
  if (dtype == DType::kF32) {  // not-a-number goes through
    std::memcpy(bytes.data(), found.values.data(), bytes.size());
  } else {
    kernels::encode_rows(kernels::Backend::kScalar, dtype, found.values, found.columns, bytes);
  }
  return bytes;
}

std::string tiny_config_json() {
  return R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64,
  "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
  "head_dim": 16, "vocab_size": 50, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
  "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": false, "torch_dtype": "float32"})";
}

void write_checkpoint(const TinySource& source, const std::filesystem::path& folder) {
  Json header = Json::object();
  std::string data;
  for (const auto& [name, tensor] : source.tensors) {
    Json shape = Json::array();
    if (!tensor.is_vector) shape.push_back(tensor.rows);
    shape.push_back(tensor.columns);
    Json offsets = Json::array();
    offsets.push_back(std::uint64_t{data.size()});
    data += bytes_of(tensor.values);
    offsets.push_back(std::uint64_t{data.size()});
    header[name] = Json::object({{"dtype", "F32"}, {"shape", shape}, {"data_offsets", offsets}});
  }
  std::string text = header.dump();
  text.resize(align_up(text.size(), 8), ' ');
  std::string file(8, '\0');
  store_le(reinterpret_cast<std::byte*>(file.data()), std::uint64_t{text.size()});
  write(folder / "model.safetensors", file + text + data);
  write(folder / "config.json", tiny_config_json());
}

void write_gguf(const TinySource& source, const std::filesystem::path& path) {
  using formats::GgufValue;
  const HyperParameters p = tiny_parameters();
  const auto count = [](std::uint64_t n) { return GgufValue::u32(static_cast<std::uint32_t>(n)); };
  const formats::GgufMetadata metadata = {
      {"general.architecture", GgufValue::text("llama")},
      {"llama.block_count", count(p.layers)},
      {"llama.context_length", count(p.context)},
      {"llama.embedding_length", count(p.hidden)},
      {"llama.feed_forward_length", count(p.feed_forward)},
      {"llama.attention.head_count", count(p.heads)},
      {"llama.attention.head_count_kv", count(p.kv_heads)},
      {"llama.attention.layer_norm_rms_epsilon", GgufValue::f32(1e-5F)},
      {"llama.vocab_size", count(p.vocabulary)}};
  std::vector<formats::GgufTensorSpec> specs;
  std::vector<std::string> data;
  for (const auto& [name, tensor] : source.tensors) {
    const TensorName parsed = name_of(name);
    formats::GgufTensorSpec spec{gguf_name(parsed), {tensor.columns}, DType::kF32};
    if (!tensor.is_vector) spec.shape.push_back(tensor.rows);
    specs.push_back(std::move(spec));
    std::vector<float> values = tensor.values;
    if (parsed.part != TensorPart::kScale && has_permuted_rows(parsed.role)) {
      for (std::uint64_t row = 0; row < tensor.rows; ++row) {
        const std::uint64_t from = checkpoint_row(row, p.head_dim);
        std::copy_n(tensor.values.begin() + static_cast<std::ptrdiff_t>(from * tensor.columns),
                    tensor.columns,
                    values.begin() + static_cast<std::ptrdiff_t>(row * tensor.columns));
      }
    }
    data.push_back(bytes_of(values));
  }
  const auto file = make_posix_file_system()->create(path, CreateMode::kTruncate);
  formats::GgufWriter writer(*file, metadata, specs);
  for (const std::string& bytes : data) writer.append(as_bytes(bytes));
  writer.finish();
  file->close();
}

TestFolder::TestFolder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  path_ = std::filesystem::temp_directory_path() /
          (std::string("qbuild_models_") + test->name() + std::to_string(::getpid()));
  std::filesystem::create_directories(path_);
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<float> all_logits(const Network& network, std::span<const std::int32_t> tokens,
                              unsigned threads, Products products) {
  ThreadPool pool(threads);
  KvCache cache = network.make_cache(tokens.size());
  std::vector<std::uint32_t> wanted(tokens.size());
  std::iota(wanted.begin(), wanted.end(), 0U);
  const SequenceInput input{&cache, tokens, wanted};
  return network.forward(std::span(&input, 1), pool, products);
}

std::vector<std::int32_t> some_tokens(std::size_t count) {
  std::vector<std::int32_t> tokens;
  for (std::size_t i = 0; i < count; ++i) tokens.push_back(static_cast<std::int32_t>(i * 17 % 50));
  return tokens;
}

}  // namespace qbuild::models
