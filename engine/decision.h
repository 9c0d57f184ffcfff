#pragma once
// The decision about one node whose inputs are settled: is it current, must it run, is it held or
// skipped, and why. `plan` and `run` both ask here, so they cannot disagree.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/environment.h"
#include "engine/explanation.h"
#include "engine/graph.h"
#include "engine/key.h"
#include "engine/node_value.h"
#include "engine/project_files.h"

namespace qbuild::engine {

struct Decision {
  enum class What : std::uint8_t {
    kSettled,  // value says how: current, held or skipped
    kRuns,     // an action; key says which
  };
  What what = What::kSettled;
  NodeValue value;
  Key key;  // of an action that is current or runs
  Explanation explanation;
};

class Decider {
 public:
  // All must outlive it.
  Decider(const Environment& environment, const ProjectFiles& project, const Graph& graph)
      : environment_(environment), project_(project), graph_(graph) {}

  //   inputs  parallel to the node's inputs
  // Throws Error: what a judgement throws, what reading the store throws.
  [[nodiscard]] Decision decide(NodeId id, std::span<const NodeValue* const> inputs);

  // Whether a record for the key is there by now: another engine may have made it while this one
  // waited for its lock.
  [[nodiscard]] std::optional<NodeValue> look_again(const Node& node, const Key& key);

  // What verifying changed blobs had to hash.
  [[nodiscard]] std::uint64_t bytes_hashed() const { return bytes_hashed_; }

 private:
  struct Found {
    std::optional<cache::Record> record;  // whole and true; else why not:
    Explanation explanation;
  };
  [[nodiscard]] Decision judge(const Node& node, std::span<const NodeValue* const> inputs);
  [[nodiscard]] Decision decide_action(const Node& node, std::span<const NodeValue* const> inputs);
  [[nodiscard]] Found find_record(const Node& node, const Key& key);
  [[nodiscard]] Found find_project_record(const Node& node, const Key& key);
  [[nodiscard]] Explanation explain_absence(const Node& node, const Key& key);
  [[nodiscard]] std::optional<std::string> missing_file(const cache::Record& record);

  const Environment& environment_;
  const ProjectFiles& project_;
  const Graph& graph_;
  std::uint64_t bytes_hashed_ = 0;
};

// Of a kProject action: why its record is no longer true, or nothing. What the asking throws is a
// reason.
[[nodiscard]] std::optional<std::string> why_outdated(const Environment& environment,
                                                      const Node& node,
                                                      const cache::Record& record);

}  // namespace qbuild::engine
