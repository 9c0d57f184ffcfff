#pragma once
// `qbuild-worker --logits MODEL --text TEXT`: the logits of every token of a text as JSON, for
// comparing the network with other implementations.

#include <string>

namespace qbuild::cli {

// Prints {"tokens": [...], "logits": [[...], ...]}.
//   model  a checkpoint folder or a GGUF file
[[nodiscard]] int print_logits(const std::string& model, const std::string& text);

}  // namespace qbuild::cli
