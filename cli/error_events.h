#pragma once
// What a command that was stopped by an Error says with --json, so that editors and CI need not
// read prose: an event per problem, and the summary that ends every run.

#include <string>

#include "base/error.h"

namespace qbuild::cli {

// Lines of JSON. A message of several lines is several problems (a manifest's errors are told at
// once):
//   {"event": "error", "kind": "invalid_input", "message": "unknown key", "file": "qbuild.yaml",
//    "line": 3, "column": 5}
// file, line and column where the line begins with them. Then {"event": "summary", ...} with this
// exit code.
[[nodiscard]] std::string error_events(const Error& error, int exit_code);

}  // namespace qbuild::cli
