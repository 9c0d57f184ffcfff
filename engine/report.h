#pragma once
// How a run ended: counters, an outcome per node, and the exit code that follows from them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cache/artifact.h"
#include "engine/explanation.h"
#include "engine/node.h"
#include "engine/witness.h"

namespace qbuild::engine {

// Tests assert on these: work that is not done is part of the product.
struct Counters {
  std::uint64_t executed = 0;  // actions that ran and succeeded
  std::uint64_t reused = 0;    // actions whose record was there
  std::uint64_t failed = 0;
  std::uint64_t skipped =
      0;  // actions: something they need failed, or the run stopped before their turn
  std::uint64_t held = 0;  // nodes of any kind that a check withholds
  std::uint64_t bytes_hashed = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t requests = 0;
  std::uint64_t pieces_computed = 0;  // see ActionResult
  std::uint64_t pieces_copied = 0;
  double seconds = 0;
  bool operator==(const Counters&) const = default;
};
// An object with exactly the members' names, in their order.
[[nodiscard]] Json to_json(const Counters& counters);

// What an Error leaves behind.
struct Failure {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
  std::vector<std::string> log_tail;  // the last lines of the action's log, at most kLogTailLines
};
inline constexpr std::size_t kLogTailLines = 20;

struct NodeReport {
  Status status = Status::kSkipped;
  bool executed = false;    // ran in this run, successfully or not
  Explanation explanation;  // why it ran or did not
  std::optional<Failure> failure;
  std::string reason;  // why it is held or skipped
  double seconds = 0;  // of an executed action
  // Of a ready action or source.
  cache::Artifact artifact;
  std::vector<fs::path> paths;  // parallel to artifact.files; empty path: inline
  std::map<std::string, std::string> inline_files;
  std::string key_hex;  // empty for sources and checks
  Json origin;          // as in ResolvedInput
};

struct RunReport {
  std::map<NodeId, NodeReport> nodes;  // every needed one
  Counters counters;
  bool interrupted = false;
  // What must stay as it is for the next run to have nothing to do. Nothing if this run failed, was
  // interrupted or saw a file that it cannot vouch for.
  std::optional<std::vector<Witness>> witnesses;
  std::vector<std::string> warnings;  // one line each: what did not stop the run
};

// 130 interrupted, 1 something failed, 3 nothing failed but something is held, 0 all up to date.
[[nodiscard]] int exit_code(const RunReport& report);

}  // namespace qbuild::engine
