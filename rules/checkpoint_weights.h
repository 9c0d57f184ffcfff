#pragma once
// A transformers checkpoint's folder as a source of weights (rules/weight_source.h).

#include <vector>

#include "formats/checkpoint.h"
#include "formats/config.h"
#include "models/hyper_parameters.h"
#include "rules/weight_source.h"

namespace qbuild::rules {

// The tensors of a GGUF of it, in the file's order, but for those that no tensor of the checkpoint
// stands for. Throws what models::network_tensors throws.
[[nodiscard]] std::vector<WeightTensor> checkpoint_weights(
    const formats::Checkpoint& checkpoint, const models::HyperParameters& parameters,
    const fs::path& folder);

[[nodiscard]] NetworkFacts network_facts(const models::HyperParameters& parameters);

[[nodiscard]] std::unique_ptr<WeightSource> open_checkpoint_weights(FileSystem& files,
                                                                    const fs::path& folder);

}  // namespace qbuild::rules
