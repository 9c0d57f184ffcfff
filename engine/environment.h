#pragma once
// What the engine stands on: the seams, the store and the rules.

#include "base/clock.h"
#include "base/file_system.h"
#include "base/subprocess.h"
#include "cache/store.h"
#include "engine/rule.h"
#include "engine/stat_table.h"

namespace qbuild::cache {
class Index;
}

namespace qbuild::engine {

// What the engine works with. Everything must outlive the builder.
struct Environment {
  FileSystem& files;
  Clock& clock;
  ProcessRunner& processes;
  cache::Store& store;
  cache::Index* index = nullptr;  // durations for the order; null: the graph's guesses
  const RuleSet& rules;
  StatTable& stats;
  WaitFor wait = make_sleep();
};

}  // namespace qbuild::engine
