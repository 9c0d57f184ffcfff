#pragma once
// Makes the plan: decides every node whose inputs are known, and says of the others what they wait
// for.

#include <span>

#include "engine/environment.h"
#include "engine/plan.h"
#include "engine/project_files.h"

namespace qbuild::engine {

// Throws Error: what Decider::decide throws, with the target's name in front.
[[nodiscard]] Plan make_plan(const Environment& environment, const ProjectFiles& project,
                             const Graph& graph, std::span<const NodeId> goals);

}  // namespace qbuild::engine
