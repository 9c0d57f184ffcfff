#pragma once
// A GGUF file, or one in parts, as a source of weights.

#include "base/file_system.h"
#include "formats/gguf_parts.h"
#include "models/hyper_parameters.h"
#include "models/weights.h"

namespace qbuild::models {

// Keys and defaults: docs/gguf.md. Without the tensors' part: tied_output is false and the divisors
// of the rotation are empty. Throws as parameters_from_config does.
[[nodiscard]] HyperParameters parameters_from_gguf(const formats::GgufMetadata& metadata,
                                                   const std::string& place);

class GgufSource final : public TensorSource {
 public:
  GgufSource(FileSystem& file_system, const fs::path& path);

  [[nodiscard]] const HyperParameters& parameters() const { return parameters_; }
  [[nodiscard]] std::string describe(const TensorName& tensor) const override;
  [[nodiscard]] std::optional<TensorShape> find(const TensorName& tensor) const override;
  [[nodiscard]] std::vector<std::byte> read(const TensorName& tensor) const override;

 private:
  fs::path path_;
  formats::GgufParts parts_;
  HyperParameters parameters_;
};

}  // namespace qbuild::models
