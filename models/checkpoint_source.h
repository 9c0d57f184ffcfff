#pragma once
// A transformers checkpoint folder as a source of weights: config.json and safetensors.

#include "base/file_system.h"
#include "formats/checkpoint.h"
#include "formats/config.h"
#include "models/hyper_parameters.h"
#include "models/weights.h"

namespace qbuild::models {

// Throws kUnsupported for what no code here runs: another activation than silu, scaling of the
// rotation of another type than default, linear, llama3 and yarn; kInvalidInput for values that
// contradict each other.
[[nodiscard]] HyperParameters parameters_from_config(const formats::ModelConfig& config);

class CheckpointSource final : public TensorSource {
 public:
  CheckpointSource(FileSystem& file_system, const fs::path& folder);

  [[nodiscard]] const HyperParameters& parameters() const { return parameters_; }
  [[nodiscard]] std::string describe(const TensorName& tensor) const override;
  [[nodiscard]] std::optional<TensorShape> find(const TensorName& tensor) const override;
  [[nodiscard]] std::vector<std::byte> read(const TensorName& tensor) const override;

 private:
  [[nodiscard]] const formats::CheckpointTensor* locate(const TensorName& tensor) const;

  fs::path folder_;
  HyperParameters parameters_;
  formats::Checkpoint checkpoint_;
};

}  // namespace qbuild::models
