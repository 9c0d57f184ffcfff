#pragma once
// What the worker program does: takes batches of actions on stdin, runs them with the rules it has,
// and answers with events on stdout, one JSON object per line (engine/worker_protocol.h). It ends
// when its stdin closes, also in the middle of an action: then the action is asked to stop, and
// after kWorkerGrace the process ends whatever it is doing. SIGTERM does the same.

#include "engine/grace.h"
#include "engine/rule.h"

namespace qbuild::engine {

// Call once, first thing in main, before any thread exists. Returns the process's exit code. What a
// rule prints to stdout by accident goes to stderr instead, where it cannot be taken for an event.
[[nodiscard]] int run_worker(const RuleSet& rules);

}  // namespace qbuild::engine
