#pragma once
// A matrix: every combination of its variables' values, minus excludes.

#include <vector>

#include "manifests/diagnostic.h"
#include "manifests/manifest.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {

// In the order of the file, the first variable changing slowest. Empty after a diagnostic.
[[nodiscard]] std::vector<std::vector<MatrixValue>> combinations(const YamlNode& matrix,
                                                                 Diagnostics& diagnostics);

}  // namespace qbuild::manifests
