#pragma once
// The tensors of a checkpoint that are its network's, held to what config.json says of them: a file
// is made only of weights that fit the numbers written beside them.

#include <filesystem>
#include <vector>

#include "formats/checkpoint.h"
#include "models/hyper_parameters.h"
#include "models/tensor_names.h"

namespace qbuild::models {

struct NetworkTensor {
  TensorName name;
  const formats::CheckpointTensor* stored = nullptr;  // lives as long as the checkpoint
};

// In the checkpoint's order. What converters leave out is left out, and so is an output matrix that
// config.json ties to the embedding.
//   folder  the checkpoint's, for messages
// Throws Error, with folder or file and tensor in front: kUnsupported for a name that no llama
// network has, kCorrupt for a tensor without values or one that is there twice, kInvalidInput where
// config.json says another number of layers or another shape, and for what it demands and the
// checkpoint lacks.
[[nodiscard]] std::vector<NetworkTensor> network_tensors(const formats::Checkpoint& checkpoint,
                                                         const HyperParameters& parameters,
                                                         const std::filesystem::path& folder);

}  // namespace qbuild::models
