#include "engine/node_value.h"

#include <fmt/core.h>

#include "base/clock.h"
#include "base/error.h"

namespace qbuild::engine {

NodeValue value_of_source(const Node& node) {
  NodeValue value;
  value.has_artifact = true;
  value.artifact = node.artifact;
  value.paths = node.paths;
  return value;
}

NodeValue value_of_record(const cache::Record& record, const cache::Store& store) {
  NodeValue value;
  value.has_artifact = true;
  value.artifact = record.artifact;
  for (const cache::FileEntry& file : record.artifact.files) {
    value.paths.push_back(record.inline_files.contains(file.name) ? fs::path()
                                                                  : store.blob_path(file.sha256));
  }
  value.inline_files = record.inline_files;
  value.key_hex = record.key.hex();
  value.origin = Json::object({{"key", value.key_hex},
                               {"started", format_utc(record.started_unix_ns)},
                               {"seconds", record.seconds},
                               {"machine", record.machine},
                               {"tool_version", record.tool_version},
                               {"peak_memory_bytes", record.peak_memory_bytes}});
  return value;
}

InputState input_state(const NodeValue& value) {
  return {.status = value.status,
          .artifact = value.has_artifact ? &value.artifact : nullptr,
          .value = &value.verdict};
}

ResolvedInput resolve(const Input& input, const NodeValue& value) {
  ResolvedInput resolved;
  resolved.label = input.label;
  resolved.status = value.status;
  resolved.reason = value.reason;
  resolved.artifact = value.artifact;
  resolved.paths = value.paths;
  resolved.inline_files = value.inline_files;
  resolved.origin = value.origin;
  const bool sees_verdict = input.needs == Needs::kReadyOrHeld && !value.verdict.is_null();
  if (sees_verdict) {
    resolved.inline_files.insert_or_assign(std::string(kResultName), value.verdict.dump());
  }
  return resolved;
}

InputValue input_value(const Input& input, const NodeValue& value) {
  InputValue seen;
  seen.label = input.label;
  seen.status = value.status;
  seen.artifact = value.artifact;
  seen.result = value.verdict;
  const auto result = value.inline_files.find(std::string(kResultName));
  if (result != value.inline_files.end()) {
    try {
      seen.result = Json::parse(result->second);
    } catch (const Error& error) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} of input {}: {}", kResultName, input.label, error.message()));
    }
  }
  return seen;
}

}  // namespace qbuild::engine
