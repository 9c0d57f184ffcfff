#pragma once
// The nodes of a build graph. The engine knows artifacts, actions, keys and resources; what a model
// is it has never heard. rules/lower makes these from a manifest.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "cache/artifact.h"

namespace qbuild::engine {

struct NodeId {
  std::uint32_t value = 0;
  auto operator<=>(const NodeId&) const = default;
};

enum class NodeKind : std::uint8_t {
  kSource,  // files that exist before anything runs; its artifact is known when the graph is made
  kAction,  // runs a rule, has a key, leaves a record
  kCheck,   // a pure judgement over its inputs' results (a gate, a licence): ready or held; never
            // recorded
};

// Where a node stands after a run. Reaches journals and JSON: never rename.
enum class Status : std::uint8_t {
  kReady,    // its outputs are there and current
  kHeld,     // a check withholds it; nothing failed
  kFailed,   // it ran and failed
  kSkipped,  // something it needs failed, or the run stopped before its turn
};
[[nodiscard]] std::string_view status_name(Status status);
[[nodiscard]] std::optional<Status> status_from_name(std::string_view name);

// What of an input's artifact the consumer's key sees.
struct Projection {
  enum class Kind : std::uint8_t {
    kWhole,    // Artifact::digest()
    kFacets,   // the facets named, each a labelled field
    kNothing,  // the status alone (of a check), or an input that only orders
  };
  Kind kind = Kind::kWhole;
  std::vector<std::string> facets = {};
};

// Which status of the input lets the consumer go on.
enum class Needs : std::uint8_t {
  kReady,        // held makes the consumer held, failed or skipped makes it skipped
  kReadyOrHeld,  // soft: held is a value that the consumer sees
};

struct Input {
  std::string label = {};  // unique within the node: "model", "gate.Q4_K_M"
  NodeId from = {};
  Projection projection = {};
  Needs needs = Needs::kReady;
};

// A part of the key beyond rule, parameters and inputs: encoder versions, numerics, machine class.
struct Field {
  std::string label;
  std::string value;
};

// Nobody waits longer for a single action: what still runs then hangs. For those that a worker runs
// and that say nothing of their own.
inline constexpr std::chrono::milliseconds kDefaultTimeLimit = std::chrono::hours(7 * 24);

struct Resources {
  unsigned threads = 1;
  std::uint64_t memory_bytes = 0;
  // What it adds to the memory of others of its batch that run together with it in one process
  // (RuleTraits::fuses); nothing said: as much as alone.
  std::optional<std::uint64_t> memory_together_bytes = {};
  std::uint64_t scratch_bytes = 0;          // on the store's disk while it runs, outputs included
  bool whole_machine = false;               // runs alone (a speed measurement)
  std::chrono::milliseconds time_limit{0};  // how long it may run; 0: kDefaultTimeLimit
};

// Makes an output appear under a user's name once the node is ready.
struct Export {
  std::string name;  // of the artifact's file, or one of the two below
  fs::path path;     // where it appears
};
// Where an action's file names are not known before it ran: its only file as `path`, and all of its
// files below the folder `path`.
inline constexpr std::string_view kOnlyFile = "*";
inline constexpr std::string_view kAllFiles = "*/";

// What a check sees of each of its inputs, in their order.
struct InputValue {
  std::string label;
  Status status = Status::kReady;
  cache::Artifact artifact;
  Json result;  // the parsed inline file "result.json", or null
};

struct Verdict {
  bool held = false;
  std::string reason = {};  // one line for a person: "perplexity_ratio 1.045 is above 1.03"
  // What soft consumers get to see of the judgement (as inline file "result.json") and their keys
  // by digest (field "input.LABEL.value", after "input.LABEL.status"); null says nothing. The
  // reason stays out of keys.
  Json value = {};
};

struct Node {
  NodeKind kind = NodeKind::kAction;
  std::string target;  // unique: "bard:Q4_K_M:quality"
  std::vector<Input> inputs;

  // kSource
  cache::Artifact artifact;
  std::vector<fs::path> paths;  // parallel to artifact.files

  // kAction
  std::string rule;
  Json params;   // an object; every leaf is a labelled field of the key ("param.context: 512")
  Json context;  // an object; what the rule needs and the key must not see: names, paths, messages
  std::vector<Field> fields;
  Resources resources;
  // Ready actions with the same non-empty batch may share one worker request: one after another,
  // or together where their rule fuses.
  std::string batch;
  std::vector<Export> exports;
  // Within which actions share pieces of their files (cache/piece.h): a hex digest of what decides
  // whether they can have any in common; empty: it neither takes nor gives. No part of the key: a
  // copied piece is the same bytes.
  std::string piece_scope = {};
  double expected_seconds = 1;  // without history: from sizes

  // kCheck
  std::function<Verdict(std::span<const InputValue>)> judge;
};

// The exports of a node whose artifact is known, each with a file's name. Throws Error
// (kInvalidInput) if the artifact has no such file, or several where one was expected.
[[nodiscard]] std::vector<Export> resolved_exports(const Node& node,
                                                   const cache::Artifact& artifact);

}  // namespace qbuild::engine
