#pragma once
// The engine: brings the goals of a graph up to date.
//
// The loop: start what may start, settle what is ready, wait only if neither. Every needed node is
// decided when all of its inputs are settled (engine/decision.h): a node whose record is there is
// current and its consumers go on at once, so a step whose output came out the same stops the work
// below it.

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "base/file_system.h"
#include "engine/environment.h"
#include "engine/executor.h"
#include "engine/graph.h"
#include "engine/plan.h"
#include "engine/progress.h"
#include "engine/project_files.h"
#include "engine/report.h"

namespace qbuild::engine {

// Actions of one batch that run at once in one worker. More would hardly share more, and lose more
// if it died.
inline constexpr unsigned kMaxTogether = 32;

struct BuildOptions {
  fs::path project;                // the folder that holds .qbuild/; absolute
  unsigned jobs = 0;               // actions at once, a group of them as one; 0: as many as fit
  unsigned threads = 1;            // of all actions together
  std::uint64_t memory_bytes = 0;  // of all actions together; 0: not bounded
  unsigned together = kMaxTogether;
  bool fail_fast = false;
  std::string backend;       // handed to rules
  std::string tool_version;  // "qbuild 0.1.0", kept in records
  // Where heavy actions run (make_worker_executors); empty: in this process, like light ones.
  ExecutorFactory heavy;
};

// One run or plan at a time.
class Builder {
 public:
  Builder(Environment environment, BuildOptions options);

  // Writes nothing but damaged records aside.
  [[nodiscard]] Plan plan(const Graph& graph, std::span<const NodeId> goals);

  // Failures of actions are in the report. Throws Error only where the build itself cannot go on
  // (the project's folder cannot be written).
  [[nodiscard]] RunReport run(const Graph& graph, std::span<const NodeId> goals, Progress& progress,
                              std::stop_token stop);

 private:
  Environment environment_;
  BuildOptions options_;
};

}  // namespace qbuild::engine
