#pragma once
// The files that a manifest names: are they there?

#include <vector>

#include "base/file_system.h"
#include "manifests/diagnostic.h"
#include "manifests/manifest.h"

namespace qbuild::manifests {

// Sources must be folders; templates and texts files. What only a command reads is left to it.
void check_existence(FileSystem& files, const std::vector<Model>& models, Diagnostics& diagnostics);

}  // namespace qbuild::manifests
