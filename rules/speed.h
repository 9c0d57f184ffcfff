#pragma once
// The rule `speed`: tokens per second, load time and memory, alone on the machine.
//
// Parameters: prompt, generate (tokens), repeat. Fields: machine class, threads, runtime.
// Inputs: "model" (a GGUF).
// Output: result.json: {"load_seconds", "prompt": {"tokens", "tokens_per_second", "deviation",
// "samples"}, "generate": the same, "memory": {"before", "minimum", "maximum", "mean"}, "threads",
// "repeat"}.

#include <memory>

#include "engine/rule.h"

namespace qbuild::rules {

[[nodiscard]] std::unique_ptr<engine::Rule> make_speed_rule();

}  // namespace qbuild::rules
