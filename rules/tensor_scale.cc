#include "rules/tensor_scale.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/check.h"
#include "rules/tensor_role.h"

namespace qbuild::rules {
namespace {

constexpr std::string_view kWeight = ".weight";
constexpr std::string_view kScale = ".scale";
constexpr std::string_view kBias = ".bias";

// Weights whose products a reader multiplies by their scales. Bits.
using Groups = std::uint32_t;
constexpr Groups kAttention = 1u << 0;    // query, key, value and output of its own
constexpr Groups kJoined = 1u << 1;       // query, key and value in one
constexpr Groups kFeedForward = 1u << 2;  // unless it has a bias, which would be multiplied too
constexpr Groups kShared = 1u << 3;       // experts that see every token
constexpr Groups kExperts = 1u << 4;
constexpr Groups kStateSpace = 1u << 5;
constexpr Groups kOutput = 1u << 6;

struct WeightRow {
  std::string_view name;  // without the block
  Groups group;
};
constexpr std::array kWeights{
    WeightRow{"attn_q", kAttention},      WeightRow{"attn_k", kAttention},
    WeightRow{"attn_v", kAttention},      WeightRow{"attn_output", kAttention},
    WeightRow{"attn_qkv", kJoined},       WeightRow{"ffn_gate", kFeedForward},
    WeightRow{"ffn_up", kFeedForward},    WeightRow{"ffn_down", kFeedForward},
    WeightRow{"ffn_gate_shexp", kShared}, WeightRow{"ffn_up_shexp", kShared},
    WeightRow{"ffn_down_shexp", kShared}, WeightRow{"ffn_gate_exps", kExperts},
    WeightRow{"ffn_up_exps", kExperts},   WeightRow{"ffn_down_exps", kExperts},
    WeightRow{"ssm_in", kStateSpace},     WeightRow{"ssm_out", kStateSpace},
    WeightRow{"output", kOutput},
};

// What llama.cpp's graph of an architecture multiplies. It reads such scales for every
// architecture, and passes over those that stand not here; tests/interop/test_architectures.py runs
// each, with the weights that a small network of it has.
struct ArchitectureRow {
  std::string_view architecture;
  Groups groups;
};
constexpr Groups kUsual = kAttention | kJoined | kOutput;
constexpr std::array kArchitectures{
    ArchitectureRow{"llama", kUsual | kFeedForward | kExperts},
    ArchitectureRow{"qwen2", kUsual},
    ArchitectureRow{"qwen2moe", kUsual},
    ArchitectureRow{"qwen3", kUsual | kFeedForward},
    ArchitectureRow{"qwen3moe", kUsual | kExperts},
    ArchitectureRow{"qwen3next", kAttention | kOutput | kShared | kExperts},
    ArchitectureRow{"gemma3", kUsual},
    ArchitectureRow{"phi3", kUsual},
    ArchitectureRow{"granite", kUsual},
    ArchitectureRow{"granitehybrid", kUsual},
    ArchitectureRow{"starcoder2", kUsual},
    ArchitectureRow{"falcon", kUsual},
    ArchitectureRow{"falcon-h1", kUsual},
    ArchitectureRow{"gpt-oss", kUsual},
    ArchitectureRow{"lfm2", kUsual},
    ArchitectureRow{"nemotron_h_moe", kUsual | kShared | kExperts},
    ArchitectureRow{"mamba2", kStateSpace | kOutput},
};

Groups groups_of(std::string_view architecture) {
  for (const ArchitectureRow& row : kArchitectures)
    if (row.architecture == architecture) return row.groups;
  return 0;
}

// "attn_q" of "blk.12.attn_q.weight", "output" of "output.weight"; "" of what is no weight.
std::string_view bare_name(std::string_view name) {
  if (!name.ends_with(kWeight)) return {};
  name.remove_suffix(kWeight.size());
  if (!block_of(name)) return name;
  name.remove_prefix(name.find('.') + 1);
  return name.substr(name.find('.') + 1);
}

// 0: none.
Groups group_of(std::string_view name) {
  const std::string_view bare = bare_name(name);
  for (const WeightRow& row : kWeights)
    if (row.name == bare && block_of(name).has_value() == (row.group != kOutput)) return row.group;
  return 0;
}

std::string sibling(std::string_view weight, std::string_view ending) {
  check(weight.ends_with(kWeight), "scales stand beside weights");
  return std::string(weight.substr(0, weight.size() - kWeight.size())).append(ending);
}

}  // namespace

std::vector<bool> scaled_tensors(std::span<const WeightTensor> tensors,
                                 std::span<const TypeChoice> choices,
                                 std::string_view architecture) {
  check(tensors.size() == choices.size(), "each tensor has its choice");
  const Groups groups = groups_of(architecture);
  std::set<std::string_view> names;
  for (const WeightTensor& tensor : tensors) names.insert(tensor.name);
  std::vector<bool> scaled;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = tensors[i].name;
    const Groups group = group_of(name);
    // Blocks that the source has are handed on as they are.
    scaled.push_back(choices[i].type == DType::kNVFP4 && tensors[i].stored != DType::kNVFP4 &&
                     (group & groups) != 0 && (group == kExperts || matrices_of(tensors[i]) == 1) &&
                     !names.contains(sibling(name, kScale)) &&
                     (group != kFeedForward || !names.contains(sibling(name, kBias))));
  }
  return scaled;
}

std::optional<std::string> scale_name(std::string_view tensor) {
  if (!tensor.ends_with(kWeight)) return std::nullopt;
  return sibling(tensor, kScale);
}

std::uint64_t matrices_of(const WeightTensor& tensor) {
  std::uint64_t count = 1;
  for (std::size_t i = 2; i < tensor.shape.size(); ++i) count *= tensor.shape[i];
  return count;
}

}  // namespace qbuild::rules
