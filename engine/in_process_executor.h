#pragma once
// Runs actions on threads of this process: light ones, and everything in tests.

#include <memory>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/subprocess.h"
#include "engine/executor.h"

namespace qbuild::engine {

// All references must outlive the executor. Every rule that is given to it must be linked
// (RuleSet::find).
[[nodiscard]] std::unique_ptr<Executor> make_in_process_executor(FileSystem& files, Clock& clock,
                                                                 ProcessRunner& processes,
                                                                 const RuleSet& rules,
                                                                 EventQueue& events);

}  // namespace qbuild::engine
