// Makes a random checkpoint of Llama shape, for benchmarks, and beside it FOLDER.imatrix, a random
// importance matrix: qbuild_make_checkpoint FOLDER TOKENIZER_FOLDER [LAYERS]. Eight layers have
// about 365 million weights. The same arguments give the same bytes.

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/half.h"
#include "base/json.h"

namespace {

namespace fs = std::filesystem;
using qbuild::Json;

constexpr std::uint64_t kHidden = 2048;
constexpr std::uint64_t kFeedForward = 5632;
constexpr std::uint64_t kHeads = 32;
constexpr std::uint64_t kKvHeads = 8;
constexpr std::uint64_t kVocabulary = 1024;

struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  [[nodiscard]] std::uint64_t count() const {
    return shape.size() == 1 ? shape[0] : shape[0] * shape[1];
  }
};

std::vector<Tensor> tensors(std::uint64_t layers) {
  constexpr std::uint64_t kKv = kHidden / kHeads * kKvHeads;
  std::vector<Tensor> list{{"model.embed_tokens.weight", {kVocabulary, kHidden}},
                           {"model.norm.weight", {kHidden}},
                           {"lm_head.weight", {kVocabulary, kHidden}}};
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    list.push_back({prefix + "self_attn.q_proj.weight", {kHidden, kHidden}});
    list.push_back({prefix + "self_attn.k_proj.weight", {kKv, kHidden}});
    list.push_back({prefix + "self_attn.v_proj.weight", {kKv, kHidden}});
    list.push_back({prefix + "self_attn.o_proj.weight", {kHidden, kHidden}});
    list.push_back({prefix + "mlp.gate_proj.weight", {kFeedForward, kHidden}});
    list.push_back({prefix + "mlp.up_proj.weight", {kFeedForward, kHidden}});
    list.push_back({prefix + "mlp.down_proj.weight", {kHidden, kFeedForward}});
    list.push_back({prefix + "input_layernorm.weight", {kHidden}});
    list.push_back({prefix + "post_attention_layernorm.weight", {kHidden}});
  }
  return list;
}

// xorshift64*; a sum of four uniform numbers is near enough to a normal one.
struct Random {
  std::uint64_t state = 0x9e3779b97f4a7c15u;
  float uniform() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return static_cast<float>((state * 0x2545f4914f6cdd1du) >> 40) * 0x1p-24f - 0.5f;
  }
  float normal() { return (uniform() + uniform() + uniform() + uniform()) * 1.732f; }
};

void write_weights(const fs::path& path, const std::vector<Tensor>& list) {
  Json header = Json::object({{"__metadata__", Json::object({{"format", "pt"}})}});
  std::uint64_t offset = 0;
  for (const Tensor& tensor : list) {
    Json shape = Json::array();
    for (const auto n : tensor.shape) shape.push_back(n);
    Json offsets = Json::array();
    offsets.push_back(offset);
    offset += tensor.count() * 2;
    offsets.push_back(offset);
    header[tensor.name] = Json::object(
        {{"dtype", "F16"}, {"shape", std::move(shape)}, {"data_offsets", std::move(offsets)}});
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::ofstream file(path, std::ios::binary);
  const std::uint64_t length = text.size();
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file << text;
  Random random;
  std::vector<std::uint16_t> row;
  for (const Tensor& tensor : list) {
    row.resize(tensor.count());
    const bool norm = tensor.shape.size() == 1;
    for (auto& value : row)
      value = qbuild::f32_to_f16(norm ? 1.0f + 0.05f * random.normal() : 0.02f * random.normal());
    file.write(reinterpret_cast<const char*>(row.data()),
               static_cast<std::streamsize>(row.size() * 2));
  }
}

// In the older of the two formats (docs/imatrix.md).
void write_importance(const fs::path& path, std::uint64_t layers) {
  std::ofstream file(path, std::ios::binary);
  const auto number = [&file](std::uint64_t n) {
    const auto stored = static_cast<std::int32_t>(n);
    file.write(reinterpret_cast<const char*>(&stored), sizeof stored);
  };
  const std::array names{"attn_q",   "attn_k", "attn_v",  "attn_output",
                         "ffn_gate", "ffn_up", "ffn_down"};
  number(layers * names.size());
  Random random;
  for (std::uint64_t layer = 0; layer < layers; ++layer)
    for (const std::string_view bare : names) {
      const std::string name = fmt::format("blk.{}.{}.weight", layer, bare);
      std::vector<float> columns(bare == "ffn_down" ? kFeedForward : kHidden);
      for (float& one : columns) one = std::exp(random.normal());
      number(name.size());
      file << name;
      number(1);
      number(columns.size());
      file.write(reinterpret_cast<const char*>(columns.data()),
                 static_cast<std::streamsize>(columns.size() * sizeof(float)));
    }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: {} FOLDER TOKENIZER_FOLDER [LAYERS]\n", argv[0]);
    return 2;
  }
  const fs::path folder = argv[1];
  const std::uint64_t layers = argc > 3 ? std::stoull(argv[3]) : 8;
  fs::create_directories(folder);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "generation_config.json"})
    fs::copy_file(fs::path(argv[2]) / name, folder / name, fs::copy_options::overwrite_existing);
  Json architectures = Json::array();
  architectures.push_back("LlamaForCausalLM");
  const Json config = Json::object({{"architectures", std::move(architectures)},
                                    {"model_type", "llama"},
                                    {"hidden_size", kHidden},
                                    {"intermediate_size", kFeedForward},
                                    {"num_hidden_layers", layers},
                                    {"num_attention_heads", kHeads},
                                    {"num_key_value_heads", kKvHeads},
                                    {"vocab_size", kVocabulary},
                                    {"max_position_embeddings", 2048},
                                    {"rms_norm_eps", 1e-5},
                                    {"rope_theta", 10000.0},
                                    {"hidden_act", "silu"},
                                    {"tie_word_embeddings", false},
                                    {"torch_dtype", "float16"},
                                    {"bos_token_id", 1021},
                                    {"eos_token_id", 1022}});
  std::ofstream(folder / "config.json") << config.dump_pretty();
  write_weights(folder / "model.safetensors", tensors(layers));
  write_importance(folder.string() + ".imatrix", layers);
  return 0;
}
