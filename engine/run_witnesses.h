#pragma once
// What must stay as it is for the next run to have nothing to do.

#include <optional>
#include <span>
#include <vector>

#include "engine/environment.h"
#include "engine/graph.h"
#include "engine/project_files.h"
#include "engine/report.h"
#include "engine/witness.h"

namespace qbuild::engine {

// Of a run in which nothing failed. Nothing if something changed since it was decided: a file of
// the user, a record or blob that is gone, a project record that is no longer true.
[[nodiscard]] std::optional<std::vector<Witness>> collect_witnesses(const Environment& environment,
                                                                    const ProjectFiles& project,
                                                                    const Graph& graph,
                                                                    std::span<const NodeId> needed,
                                                                    const RunReport& report);

}  // namespace qbuild::engine
