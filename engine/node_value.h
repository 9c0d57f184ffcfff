#pragma once
// What a settled node offers to its consumers.

#include <map>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "cache/artifact.h"
#include "cache/record.h"
#include "cache/store.h"
#include "engine/key.h"
#include "engine/node.h"
#include "engine/rule.h"

namespace qbuild::engine {

struct NodeValue {
  Status status = Status::kReady;
  std::string reason;         // why it is held or skipped
  bool has_artifact = false;  // of a ready source or action
  cache::Artifact artifact;
  std::vector<fs::path> paths;  // parallel to artifact.files; empty path: inline
  std::map<std::string, std::string> inline_files;
  Json origin;
  Json verdict;         // of a check: Verdict::value
  std::string key_hex;  // of an action
};

[[nodiscard]] NodeValue value_of_source(const Node& node);
[[nodiscard]] NodeValue value_of_record(const cache::Record& record, const cache::Store& store);

// What the key of a consumer sees of it. Points into `value`.
[[nodiscard]] InputState input_state(const NodeValue& value);
// What a rule sees of it.
[[nodiscard]] ResolvedInput resolve(const Input& input, const NodeValue& value);
// What a check sees of it. Throws Error (kCorrupt) if result.json is no JSON.
[[nodiscard]] InputValue input_value(const Input& input, const NodeValue& value);

// The inline file by which results and judgements are handed on.
inline constexpr std::string_view kResultName = "result.json";

}  // namespace qbuild::engine
