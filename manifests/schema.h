#pragma once
// The table of keys as a JSON Schema (draft 2020-12), for editors. manifests/qbuild.schema.json is
// this, and a test says so; the program can print it without a file.

#include "base/json.h"

namespace qbuild::manifests {

[[nodiscard]] Json make_schema();

}  // namespace qbuild::manifests
