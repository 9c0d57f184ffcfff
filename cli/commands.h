#pragma once
// The commands. Each returns the exit code; failures that are no outcome of a target are Errors,
// which main prints.

#include "cli/session.h"

namespace qbuild::cli {

// build, publish
[[nodiscard]] int run_build(Session& session);

// plan, why, graph, check
[[nodiscard]] int run_plan(Session& session);
[[nodiscard]] int run_why(Session& session);
[[nodiscard]] int run_graph(Session& session);
[[nodiscard]] int run_check(Session& session);

// inspect
[[nodiscard]] int run_inspect(Session& session);

// status, log
[[nodiscard]] int run_status(Session& session);
[[nodiscard]] int run_log(Session& session);

// store stats, verify, path
[[nodiscard]] int run_store_stats(Session& session);
[[nodiscard]] int run_store_verify(Session& session);
[[nodiscard]] int run_store_path(Session& session);

}  // namespace qbuild::cli
