#pragma once
// The rule `quantize`: a GGUF file of one recipe from a checkpoint or another GGUF, streamed tensor
// by tensor.
//
// Parameters: recipe, overrides: a list of {"match", "layers", "type"}, effort ("default" or
// "best"), imatrix (the name of the importance matrix's file, if there is one), name (general.name,
// from a checkpoint's folder; none: as the source says). Fields: recipes (version of the tables),
// conversion (its version), encoder.TYPE, and scales where some tensors have one (their version).
// Inputs: "source" (facets weights, config, tokenizer, and template), optionally "template" (a file
// that replaces the source's chat template) and "imatrix" (an importance matrix). Context: source
// (the folder or file), stats (its files and the importance matrix, as they were imported),
// requantize (whether weights of Q8_0 may be quantized again). Output: model.gguf, with the facets
// and facts of rules/gguf_artifact.h.

#include <memory>

#include "engine/rule.h"

namespace qbuild::rules {

// Part of the key: raise it when metadata, tensor order or conversion change a byte.
//   1  first
//   2  rope_freqs.weight stands where its name sorts, as all tensors do
inline constexpr std::string_view kConversionVersion = "2";

[[nodiscard]] std::unique_ptr<engine::Rule> make_quantize_rule();

}  // namespace qbuild::rules
