#pragma once
// Names of published files as the Hub and its users' tools read them.
//
// The Hub shows one entry per *quant label* of a repository's GGUF files, and `llama-cli -hf
// owner/name:LABEL` and Ollama pick a file by it. The label is the last part of the upper-cased
// name that is a known quant, with "UD-" before it and "_LETTERS" after it taken along (source:
// GGUF_QUANT_RE and parseGGUFQuantLabel of
// @huggingface/tasks). llama.cpp then looks for the label followed by "." or "-" (source: its
// common/download). So a usable name has a label, and "." or "-" right after it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/diagnostic.h"
#include "manifests/manifest.h"

namespace qbuild::manifests {

// The label in a file's name (with or without ".gguf"), in capitals: "Q4_K_M", "UD-Q4_K_XL".
// Nothing if there is none, or if what follows it hides it from llama.cpp.
[[nodiscard]] std::optional<std::string> quant_label(std::string_view file_name);

// Judges what all models together put into repositories: files without a label, two files with one
// label, names that are one where case is ignored, folders in the layout `flat`, two models in one
// repository.
void check_file_names(const std::vector<Model>& models, Diagnostics& diagnostics);

// What is wrong with the name of a file in a repository (one part of a path), or nothing.
[[nodiscard]] std::optional<std::string> file_name_problem(std::string_view name);
// What is wrong with "owner/name", or nothing. Source: the Hub's rules for repository ids.
[[nodiscard]] std::optional<std::string> repo_problem(std::string_view repo);

}  // namespace qbuild::manifests
