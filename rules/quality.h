#pragma once
// The rule `quality`: perplexity over texts, with the defined numerics: the same digits on every
// machine.
//
// Parameters: activations ("packed": as users run the file, or "f32": the error of the weights
// alone), texts: a list of {"name", "context", "chunks"} (chunks 0: all). Field: numerics. Inputs:
// "model" (a GGUF, or the source checkpoint), "text.NAME" per text. Context: checkpoint (the
// folder, when the model is one). Output: result.json: {"numerics", "activations", "texts":
// [{"name", "perplexity", "standard_error", "mean_nll", "tokens", "tokens_scored", "chunks",
// "context"}]}. It holds no machine, time or duration.

#include <memory>

#include "engine/rule.h"

namespace qbuild::rules {

[[nodiscard]] std::unique_ptr<engine::Rule> make_quality_rule();

}  // namespace qbuild::rules
