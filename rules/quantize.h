#pragma once
// The rule `quantize`: a GGUF file of one recipe from a checkpoint, streamed tensor by tensor.
//
// Parameters: recipe, overrides: a list of {"match", "layers", "type"}, effort ("default" or
// "best"), name (general.name, from the source). Fields: recipes (version of the tables),
// conversion (its version), encoder.TYPE. Inputs: "source" (facets weights, config, tokenizer, and
// template), optionally "template" (a file that replaces the source's chat template). Context:
// checkpoint (the folder). Output: model.gguf, with the facets and facts of rules/gguf_artifact.h.

#include <memory>

#include "engine/rule.h"

namespace qbuild::rules {

// Part of the key: raise it when metadata, tensor order or conversion change a byte.
//   1  first
inline constexpr std::string_view kConversionVersion = "1";

[[nodiscard]] std::unique_ptr<engine::Rule> make_quantize_rule();

}  // namespace qbuild::rules
