#pragma once
// Runs one action with its rule, or several together, behind the fence, in whatever process this
// is, and reports what happens. Executors and the worker program differ only in where the reports
// go.

#include <functional>
#include <span>
#include <stop_token>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/subprocess.h"
#include "engine/executor.h"

namespace qbuild::engine {

// What a rule gets to see of the world.
struct Seams {
  FileSystem& files;
  Clock& clock;
  ProcessRunner& processes;
};

// Any thread: rules report from theirs.
using EventSink = std::function<void(ExecutorEvent event)>;

// Started, then Progress and Log, then Done or Failed (kUnsupported if the rule is not linked).
// Never throws what a rule throws. Of progress ten a second reach the sink, and the last one.
void run_action(const ActionRequest& request, const RuleSet& rules, const Seams& seams,
                std::stop_token stop, const EventSink& sink);

// All of them at once, with the rule of the first (Rule::run_together): Started of each in their
// order, then what is reported of each, mixed, and for each one end as above. An action of which
// the rule does not say how it ended fails.
void run_together(std::span<const ActionRequest> requests, const RuleSet& rules, const Seams& seams,
                  const std::stop_token& stop, const EventSink& sink);

}  // namespace qbuild::engine
