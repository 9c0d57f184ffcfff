#include "engine/decision.h"

#include <fmt/core.h>

#include "base/check.h"
#include "base/error.h"
#include "cache/index.h"
#include "engine/last_run.h"
#include "engine/project_records.h"

namespace qbuild::engine {
namespace {

// Skipped because of a failure above, or held because something above is; nothing if neither.
std::optional<Decision> stopped_by_inputs(const Graph& graph, const Node& node,
                                          std::span<const NodeValue* const> inputs) {
  Decision decision;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i]->status == Status::kFailed || inputs[i]->status == Status::kSkipped) {
      decision.explanation.upstream.push_back(graph.node(node.inputs[i].from).target);
    }
  }
  if (!decision.explanation.upstream.empty()) {
    decision.value.status = Status::kSkipped;
    decision.explanation.kind = Explanation::Kind::kBlocked;
    decision.value.reason = summarize(decision.explanation);
    return decision;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i]->status != Status::kHeld || node.inputs[i].needs == Needs::kReadyOrHeld) continue;
    decision.value.status = Status::kHeld;
    decision.value.reason =
        fmt::format("{} is held: {}", graph.node(node.inputs[i].from).target, inputs[i]->reason);
    decision.explanation = {.kind = Explanation::Kind::kHeld, .detail = decision.value.reason};
    return decision;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_outdated(const Environment& environment, const Node& node,
                                        const cache::Record& record) {
  const Rule* const rule = environment.rules.find(node.rule);
  check(rule != nullptr, "a rule with project records is linked into the engine");
  try {
    return rule->outdated(record, node.params, node.context, environment.files);
  } catch (const Error& error) {
    return fmt::format("it cannot be checked: {}", error.message());
  }
}

Decision Decider::decide(NodeId id, std::span<const NodeValue* const> inputs) {
  const Node& node = graph_.node(id);
  check(inputs.size() == node.inputs.size(), "a node is decided when all its inputs are settled");
  if (node.kind == NodeKind::kSource) {
    Decision decision;
    decision.value = value_of_source(node);
    decision.explanation.kind = Explanation::Kind::kCurrent;
    return decision;
  }
  if (std::optional<Decision> stopped = stopped_by_inputs(graph_, node, inputs)) {
    return *std::move(stopped);
  }
  return node.kind == NodeKind::kCheck ? judge(node, inputs) : decide_action(node, inputs);
}

Decision Decider::judge(const Node& node, std::span<const NodeValue* const> inputs) {
  std::vector<InputValue> seen;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    seen.push_back(input_value(node.inputs[i], *inputs[i]));
  }
  Verdict verdict = node.judge(seen);
  Decision decision;
  decision.value.verdict = std::move(verdict.value);
  decision.explanation.kind = Explanation::Kind::kCurrent;
  if (verdict.held) {
    decision.value.status = Status::kHeld;
    decision.value.reason = verdict.reason;
    decision.explanation = {.kind = Explanation::Kind::kHeld, .detail = std::move(verdict.reason)};
  }
  return decision;
}

Decision Decider::decide_action(const Node& node, std::span<const NodeValue* const> inputs) {
  const RuleTraits& traits = environment_.rules.traits(node.rule);
  std::vector<InputState> states;
  for (const NodeValue* value : inputs) states.push_back(input_state(*value));
  Decision decision;
  decision.key = make_key(node, traits.version, states);
  Found found = traits.caching == Caching::kProject ? find_project_record(node, decision.key)
                                                    : find_record(node, decision.key);
  decision.explanation = std::move(found.explanation);
  if (found.record) {
    decision.value = value_of_record(*found.record, environment_.store);
  } else {
    decision.what = Decision::What::kRuns;
  }
  return decision;
}

std::optional<NodeValue> Decider::look_again(const Node& node, const Key& key) {
  const RuleTraits& traits = environment_.rules.traits(node.rule);
  const Found found =
      traits.caching == Caching::kProject ? find_project_record(node, key) : find_record(node, key);
  if (!found.record) return std::nullopt;
  return value_of_record(*found.record, environment_.store);
}

Explanation Decider::explain_absence(const Node& node, const Key& key) {
  const std::optional<LastRun> last = read_last_run(environment_.files, project_, node.target);
  if (!last) return {.kind = Explanation::Kind::kNeverBuilt};
  if (last->key_text != key.text) {
    return {.kind = Explanation::Kind::kKeyChanged,
            .changes = compare_key_texts(last->key_text, key.text)};
  }
  if (last->failed) return {.kind = Explanation::Kind::kFailedBefore, .detail = last->message};
  return {.kind = Explanation::Kind::kRecordMissing};
}

Decider::Found Decider::find_record(const Node& node, const Key& key) {
  std::optional<cache::Record> record = environment_.store.find_record(key.digest);
  if (!record) return {std::nullopt, explain_absence(node, key)};
  if (const std::optional<std::string> missing = missing_file(*record)) {
    return {std::nullopt, {.kind = Explanation::Kind::kFileMissing, .detail = *missing}};
  }
  return {std::move(record), {.kind = Explanation::Kind::kCurrent}};
}

Decider::Found Decider::find_project_record(const Node& node, const Key& key) {
  std::optional<cache::Record> record =
      read_project_record(environment_.files, project_, node.target);
  if (!record) return {std::nullopt, explain_absence(node, key)};
  if (record->key_text != key.text) {
    // A failed attempt since then is the nearer past.
    Explanation explanation = explain_absence(node, key);
    const bool is_told = explanation.kind == Explanation::Kind::kKeyChanged ||
                         explanation.kind == Explanation::Kind::kFailedBefore;
    if (!is_told) {
      explanation = {.kind = Explanation::Kind::kKeyChanged,
                     .changes = compare_key_texts(record->key_text, key.text)};
    }
    return {std::nullopt, std::move(explanation)};
  }
  if (const std::optional<std::string> missing = missing_file(*record)) {
    return {std::nullopt, {.kind = Explanation::Kind::kFileMissing, .detail = *missing}};
  }
  if (std::optional<std::string> why = why_outdated(environment_, node, *record)) {
    return {std::nullopt, {.kind = Explanation::Kind::kOutdated, .detail = *std::move(why)}};
  }
  return {std::move(record), {.kind = Explanation::Kind::kCurrent}};
}

std::optional<std::string> Decider::missing_file(const cache::Record& record) {
  cache::Store& store = environment_.store;
  for (const cache::FileEntry& file : record.artifact.files) {
    if (record.inline_files.contains(file.name)) continue;
    const std::string shown =
        fmt::format("{} ({})", file.name, store.blob_path(file.sha256).string());
    if (!store.has_blob(file.sha256, file.size_bytes)) return shown;
    if (environment_.index == nullptr) continue;
    // A blob that was touched since it was stored is believed only after it was read.
    const std::optional<cache::BlobStamp> known = environment_.index->find_blob(file.sha256);
    const std::optional<FileStat> now = environment_.files.stat(store.blob_path(file.sha256));
    if (!known || (now && *known == cache::blob_stamp(*now))) continue;
    bytes_hashed_ += file.size_bytes;
    if (!store.verify_blob(file.sha256, file.size_bytes)) return shown;
    if (now) environment_.index->note_blob(file.sha256, cache::blob_stamp(*now));
  }
  return std::nullopt;
}

}  // namespace qbuild::engine
