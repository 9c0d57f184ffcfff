#pragma once
// What a file contains: a GGUF, an importance matrix, a safetensors file, a record of the store.

#include <string>

#include "base/file_system.h"

namespace qbuild::cli {

// Text for a person, or JSON. Throws Error (kUnsupported) for a file of another kind.
[[nodiscard]] std::string inspect_text(FileSystem& files, const fs::path& path, bool json);

}  // namespace qbuild::cli
