#include "models/checkpoint_tensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/error.h"
#include "base/shown.h"
#include "models/expected_tensors.h"

namespace qbuild::models {
namespace {

using formats::CheckpointTensor;

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (const std::uint64_t extent : shape)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", extent);
  return "[" + text + "]";
}

std::vector<std::uint64_t> shape_of(const TensorExtent& extent) {
  if (extent.is_vector) return {extent.columns};
  return {extent.rows, extent.columns};
}

class TensorCheck {
 public:
  TensorCheck(const formats::Checkpoint& checkpoint, const HyperParameters& parameters,
              const std::filesystem::path& folder)
      : checkpoint_(checkpoint), parameters_(parameters), folder_(folder) {}

  std::vector<NetworkTensor> run() {
    for (const CheckpointTensor& tensor : checkpoint_.tensors()) take(tensor);
    for (const TensorName& name : required_tensors(parameters_))
      if (!seen_.contains(key_of(name))) missing(name);
    return std::move(tensors_);
  }

 private:
  using Key = std::tuple<TensorRole, TensorPart, std::uint32_t>;
  static Key key_of(const TensorName& name) { return {name.role, name.part, name.layer}; }

  [[nodiscard]] std::string place_of(const CheckpointTensor& tensor) const {
    return fmt::format("{}: {}", (folder_ / checkpoint_.files().at(tensor.file)).string(),
                       shown(tensor.name));
  }

  void take(const CheckpointTensor& tensor) {
    if (is_ignored_checkpoint_name(tensor.name)) return;
    const auto name = tensor_from_checkpoint_name(tensor.name);
    if (!name || (name->part == TensorPart::kBias && !may_have_bias(name->role)))
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("tensor {} is no tensor of a llama network", shown(tensor.name)));
    if (name->role == TensorRole::kOutput && parameters_.tied_output) return;
    const bool is_empty = std::count(tensor.shape.begin(), tensor.shape.end(), 0u) > 0;
    if (tensor.shape.empty() || is_empty)
      throw Error(ErrorKind::kCorrupt, fmt::format("{}: its shape is {}, which holds no weights",
                                                   place_of(tensor), shape_text(tensor.shape)));
    const auto expected = expected_extent(*name, parameters_);
    if (!expected)
      throw Error(ErrorKind::kInvalidInput, fmt::format("{}: config.json says {} layers",
                                                        place_of(tensor), parameters_.layers));
    if (tensor.shape != shape_of(*expected))
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{}: its shape is {}; config.json makes it {}", place_of(tensor),
                              shape_text(tensor.shape), shape_text(shape_of(*expected))));
    const auto [first, is_new] = seen_.emplace(key_of(*name), &tensor);
    if (!is_new)
      throw Error(ErrorKind::kCorrupt, fmt::format("{}: it is there a second time, as {}",
                                                   place_of(tensor), first->second->name));
    tensors_.push_back({*name, &tensor});
  }

  [[noreturn]] void missing(const TensorName& name) const {
    std::string why;
    if (name.part == TensorPart::kBias)
      why = fmt::format(": config.json says {}: true",
                        name.role >= TensorRole::kGate ? "mlp_bias" : "attention_bias");
    else if (is_layer_role(name.role))
      why = fmt::format(": config.json says {} layers", parameters_.layers);
    else if (name.role == TensorRole::kOutput)
      why = ": config.json does not say tie_word_embeddings: true";
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{}: {} is missing{}", folder_.string(), checkpoint_name(name), why));
  }

  const formats::Checkpoint& checkpoint_;
  const HyperParameters& parameters_;
  const std::filesystem::path& folder_;
  std::map<Key, const CheckpointTensor*> seen_;
  std::vector<NetworkTensor> tensors_;
};

}  // namespace

std::vector<NetworkTensor> network_tensors(const formats::Checkpoint& checkpoint,
                                           const HyperParameters& parameters,
                                           const std::filesystem::path& folder) {
  return TensorCheck(checkpoint, parameters, folder).run();
}

}  // namespace qbuild::models
