#include "rules/gguf_weights.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace qbuild::rules {
namespace {

using formats::find_value;
using formats::GgufMetadata;
using formats::GgufValue;

// Of the blocks that this program and every reader today writes and reads.
constexpr std::uint32_t kQuantizationVersion = 2;
constexpr std::string_view kChatTemplate = "tokenizer.chat_template";

// A number, or the first of those that a network has for each layer.
std::uint32_t number_or_first(const GgufMetadata& metadata, const std::string& key) {
  const GgufValue* const value = find_value(metadata, key);
  if (value == nullptr) return 0;
  std::uint64_t number = 0;
  if (const auto* const all = std::get_if<std::vector<std::uint64_t>>(&value->value))
    number = all->empty() ? 0 : all->front();
  else if (const auto* const some = std::get_if<std::vector<std::int64_t>>(&value->value))
    number = some->empty() || some->front() < 0 ? 0 : static_cast<std::uint64_t>(some->front());
  else
    number = formats::require_uint(metadata, key);
  if (number > std::numeric_limits<std::uint32_t>::max())
    throw Error(ErrorKind::kInvalidInput, fmt::format("the key {} is {}", key, number));
  return static_cast<std::uint32_t>(number);
}

class GgufWeights final : public WeightSource {
 public:
  GgufWeights(FileSystem& files, const fs::path& path)
      : parts_(formats::GgufParts::open(files, path)),
        network_(with_context(path.string(), [&] { return network_facts(parts_.metadata()); })),
        tensors_(gguf_weights(parts_, network_.architecture)) {
    for (const WeightTensor& tensor : tensors_) stored_.push_back(parts_.find(tensor.name));
  }

  [[nodiscard]] const std::vector<WeightTensor>& tensors() const override { return tensors_; }
  [[nodiscard]] const NetworkFacts& network() const override { return network_; }
  [[nodiscard]] GgufMetadata metadata(const HeaderWishes& wishes) const override {
    return carried_metadata(parts_.metadata(), wishes);
  }
  void read(std::size_t tensor, std::uint64_t offset, MutableBytes out) const override {
    parts_.read(*stored_.at(tensor), offset, out);
  }

 private:
  formats::GgufParts parts_;
  NetworkFacts network_;
  std::vector<WeightTensor> tensors_;
  std::vector<const formats::GgufPartTensor*> stored_;  // parallel
};

}  // namespace

std::vector<WeightTensor> gguf_weights(const formats::GgufParts& parts,
                                       std::string_view architecture) {
  std::vector<WeightTensor> tensors;
  for (const auto& [tensor, part] : parts.tensors())
    tensors.push_back({.name = tensor.name,
                       .stored_name = parts.paths()[part].filename().string(),
                       .shape = tensor.shape,
                       .stored = tensor.dtype,
                       .size_bytes = tensor.size_bytes,
                       .plain = tensor.dtype,
                       .is_opaque = !is_quantizable({tensor.name, tensor.shape}, architecture)});
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return file_order(a.name, b.name); });
  return tensors;
}

NetworkFacts network_facts(const GgufMetadata& metadata) {
  NetworkFacts facts;
  facts.architecture = formats::require_text(metadata, "general.architecture");
  const auto number = [&](std::string_view key) {
    return number_or_first(metadata, fmt::format("{}.{}", facts.architecture, key));
  };
  facts.block_count = number("block_count");
  facts.head_count = number("attention.head_count");
  facts.head_count_kv = number("attention.head_count_kv");
  // Where nothing else is said, each head has values of its own.
  if (find_value(metadata, facts.architecture + ".attention.head_count_kv") == nullptr)
    facts.head_count_kv = facts.head_count;
  facts.expert_count = number("expert_count");
  return facts;
}

GgufMetadata carried_metadata(const GgufMetadata& source, const HeaderWishes& wishes) {
  GgufMetadata metadata = source;
  if (!wishes.name.empty()) set_value(metadata, "general.name", GgufValue::text(wishes.name));
  if (wishes.chat_template)
    set_value(metadata, kChatTemplate, GgufValue::text(*wishes.chat_template));
  set_value(metadata, "general.quantization_version", GgufValue::u32(kQuantizationVersion));
  set_value(metadata, "general.file_type", GgufValue::u32(wishes.file_type));
  if (find_value(metadata, "general.alignment") != nullptr)
    set_value(metadata, "general.alignment", GgufValue::u32(formats::kGgufAlignment));
  return metadata;
}

std::unique_ptr<WeightSource> open_gguf_weights(FileSystem& files, const fs::path& path) {
  return std::make_unique<GgufWeights>(files, path);
}

}  // namespace qbuild::rules
