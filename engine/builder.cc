#include "engine/builder.h"

#include "base/error.h"
#include "engine/planner.h"
#include "engine/run.h"

namespace qbuild::engine {

Builder::Builder(Environment environment, BuildOptions options)
    : environment_(std::move(environment)), options_(std::move(options)) {}

Plan Builder::plan(const Graph& graph, std::span<const NodeId> goals) {
  return make_plan(environment_, ProjectFiles::of(options_.project), graph, goals);
}

RunReport Builder::run(const Graph& graph, std::span<const NodeId> goals, Progress& progress,
                       std::stop_token stop) {
  const ProjectFiles project = ProjectFiles::of(options_.project);
  with_context("what qbuild knows of a project is kept beside its manifest, which must be writable",
               [&] { environment_.files.create_directories(project.root); });
  environment_.store.remove_abandoned_scratch();
  Run run(environment_, options_, project, graph, goals, progress, std::move(stop));
  return run.run();
}

}  // namespace qbuild::engine
