#pragma once
// What `quality` and `speed` share: which model a request means, and how it is run.

#include <cstdint>
#include <optional>

#include "engine/rule.h"
#include "kernels/backend.h"
#include "models/tokenizer.h"

namespace qbuild::rules {

// The GGUF of the input "model", or the checkpoint folder that the context names.
[[nodiscard]] fs::path model_path(const engine::ActionRequest& request);

// The one that was asked for, else the best of this machine.
[[nodiscard]] kernels::Backend backend_of(const engine::ActionRequest& request);

// The token that evaluations begin a chunk with, if the model's texts begin with one.
[[nodiscard]] std::optional<std::int32_t> first_token(const models::Tokenizer& tokenizer);

}  // namespace qbuild::rules
