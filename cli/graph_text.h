#pragma once
// The build graph for other programs: DOT for Graphviz, Mermaid for pages, JSON for scripts.

#include <span>
#include <string>
#include <string_view>

#include "engine/graph.h"

namespace qbuild::cli {

//   format  "dot", "mermaid" or "json"
[[nodiscard]] std::string graph_text(const engine::Graph& graph,
                                     std::span<const engine::NodeId> nodes,
                                     std::string_view format);

}  // namespace qbuild::cli
