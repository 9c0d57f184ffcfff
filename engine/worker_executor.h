#pragma once
// Runs actions in worker processes (engine/worker_protocol.h). Workers are reused, except for rules
// that want a fresh one; a worker that dies takes only its batch along.

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/subprocess.h"
#include "engine/executor.h"
#include "engine/project_files.h"

namespace qbuild::engine {

struct WorkerSpec {
  std::vector<std::string> argv;         // the worker program
  std::vector<std::string> environment;  // NAME=VALUE, exactly these
};

// All references must outlive the executors that it makes. `rules` says which rule wants a fresh
// worker.
//   project  where the workers' stderr is logged
[[nodiscard]] ExecutorFactory make_worker_executors(FileSystem& files, ProcessRunner& processes,
                                                    const RuleSet& rules, ProjectFiles project,
                                                    WorkerSpec spec);

}  // namespace qbuild::engine
