#pragma once
// What a source calls itself: {source.name} in file names, and the name of a model in a list.

#include <filesystem>
#include <string>

namespace qbuild::manifests {

// Whether the path is one of a GGUF file; anything else is a checkpoint's folder.
[[nodiscard]] bool is_gguf_path(const std::filesystem::path& path);

// A folder's name; a GGUF file's without the ending, without its number among parts and without the
// type of its weights, since what is made of it has others: "smol-F16-00001-of-00002.gguf" is
// "smol". "" for a path without a name.
[[nodiscard]] std::string source_name(const std::filesystem::path& path);

}  // namespace qbuild::manifests
