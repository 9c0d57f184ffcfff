#include "rules/checkpoint_weights.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "formats/gguf_metadata.h"
#include "formats/tokenizer_json.h"
#include "models/checkpoint_source.h"
#include "models/checkpoint_tensors.h"
#include "models/tensor_names.h"

namespace qbuild::rules {
namespace {

// Computed from config.json; no tensor of the checkpoint.
constexpr std::string_view kRopeFactors = "rope_freqs.weight";

bool by_file_order(const WeightTensor& a, const WeightTensor& b) {
  return file_order(a.name, b.name);
}

class CheckpointWeights final : public WeightSource {
 public:
  CheckpointWeights(FileSystem& files, const fs::path& folder)
      : files_(files),
        folder_(folder),
        config_(formats::read_config(files, folder)),
        checkpoint_(formats::Checkpoint::open(files, folder)) {
    const models::HyperParameters parameters = models::parameters_from_config(config_);
    network_ = network_facts(parameters);
    tensors_ = checkpoint_weights(checkpoint_, parameters, folder);
    for (const WeightTensor& tensor : tensors_) parameter_count_ += tensor.values();
    rope_factors_ = formats::llama3_rope_factors(config_);
    if (!rope_factors_.empty()) {
      WeightTensor tensor{.name = std::string(kRopeFactors),
                          .stored_name = "rope_scaling of config.json",
                          .shape = {rope_factors_.size()},
                          .size_bytes = rope_factors_.size() * sizeof(float)};
      tensors_.insert(std::upper_bound(tensors_.begin(), tensors_.end(), tensor, by_file_order),
                      tensor);
    }
    for (const WeightTensor& tensor : tensors_)
      stored_.push_back(tensor.name == kRopeFactors ? nullptr
                                                    : checkpoint_.find(tensor.stored_name));
  }

  [[nodiscard]] const std::vector<WeightTensor>& tensors() const override { return tensors_; }
  [[nodiscard]] const NetworkFacts& network() const override { return network_; }

  [[nodiscard]] formats::GgufMetadata metadata(const HeaderWishes& wishes) const override {
    auto tokenizer_config = formats::read_tokenizer_config(files_, folder_);
    if (wishes.chat_template) {
      auto& templates = tokenizer_config.chat_templates;
      std::erase_if(templates, [](const auto& one) { return one.name.empty(); });
      templates.insert(templates.begin(), {"", *wishes.chat_template});
    }
    return formats::llama_metadata(
        {.name = wishes.name, .parameters = parameter_count_, .file_type = wishes.file_type},
        config_, formats::read_tokenizer_json(files_, folder_), tokenizer_config);
  }

  void read(std::size_t tensor, std::uint64_t offset, MutableBytes out) const override {
    if (stored_.at(tensor) != nullptr) return checkpoint_.read(*stored_[tensor], offset, out);
    const Bytes factors = std::as_bytes(std::span(rope_factors_));
    check(offset <= factors.size() && out.size() <= factors.size() - offset,
          "no more is read than there is");
    std::memcpy(out.data(), factors.data() + offset, out.size());
  }

 private:
  FileSystem& files_;
  fs::path folder_;
  formats::ModelConfig config_;
  formats::Checkpoint checkpoint_;
  NetworkFacts network_;
  std::uint64_t parameter_count_ = 0;
  std::vector<float> rope_factors_;
  std::vector<WeightTensor> tensors_;
  std::vector<const formats::CheckpointTensor*> stored_;  // parallel; null: computed
};

}  // namespace

std::vector<WeightTensor> checkpoint_weights(const formats::Checkpoint& checkpoint,
                                             const models::HyperParameters& parameters,
                                             const fs::path& folder) {
  std::vector<WeightTensor> tensors;
  for (const auto& [name, stored] : models::network_tensors(checkpoint, parameters, folder))
    tensors.push_back(
        {.name = models::gguf_name(name),
         .stored_name = stored->name,
         .shape = {stored->shape.rbegin(), stored->shape.rend()},
         .stored = stored->dtype,
         .size_bytes = stored->size_bytes,
         .permuted_head_dim = models::has_permuted_rows(name.role) ? parameters.head_dim : 0});
  std::sort(tensors.begin(), tensors.end(), by_file_order);
  return tensors;
}

NetworkFacts network_facts(const models::HyperParameters& parameters) {
  return {.block_count = static_cast<std::uint32_t>(parameters.layers),
          .head_count = static_cast<std::uint32_t>(parameters.heads),
          .head_count_kv = static_cast<std::uint32_t>(parameters.kv_heads),
          .architecture = parameters.architecture};
}

std::unique_ptr<WeightSource> open_checkpoint_weights(FileSystem& files, const fs::path& folder) {
  return std::make_unique<CheckpointWeights>(files, folder);
}

}  // namespace qbuild::rules
