#include "cli/remembered_outcome.h"

#include "base/error.h"
#include "engine/binary.h"

namespace qbuild::cli {

using engine::ActionFinished;
using engine::Status;

RememberedOutcome outcome_to_remember(const engine::RunReport& report, const engine::Graph& graph,
                                      std::string text) {
  RememberedOutcome outcome{.text = std::move(text), .held = {}};
  for (const auto& [id, node] : report.nodes) {
    const engine::Node& what = graph.node(id);
    if (what.kind == engine::NodeKind::kAction) {
      ++outcome.actions;
      if (node.status == Status::kReady) ++outcome.up_to_date;
    }
    if (node.status == Status::kHeld)
      outcome.held.push_back({.target = what.target,
                              .rule = what.kind == engine::NodeKind::kAction ? what.rule : "check",
                              .status = Status::kHeld,
                              .reason = node.reason,
                              .failure = {}});
  }
  return outcome;
}

std::string to_text(const RememberedOutcome& outcome) {
  std::string bytes;
  engine::append_bytes(bytes, outcome.text);
  engine::append_u64(bytes, outcome.actions);
  engine::append_u64(bytes, outcome.up_to_date);
  engine::append_u64(bytes, outcome.held.size());
  for (const ActionFinished& one : outcome.held)
    for (const std::string* const part : {&one.target, &one.rule, &one.reason})
      engine::append_bytes(bytes, *part);
  return bytes;
}

std::optional<RememberedOutcome> remembered_outcome(std::string_view text) {
  try {
    engine::BinaryReader reader(text);
    RememberedOutcome outcome;
    outcome.text = reader.bytes();
    outcome.actions = reader.u64();
    outcome.up_to_date = reader.u64();
    const std::uint64_t held = reader.u64();
    for (std::uint64_t i = 0; i < held; ++i) {
      ActionFinished one{
          .target = {}, .rule = {}, .status = Status::kHeld, .reason = {}, .failure = {}};
      for (std::string* const part : {&one.target, &one.rule, &one.reason}) *part = reader.bytes();
      outcome.held.push_back(std::move(one));
    }
    if (!reader.at_end()) return std::nullopt;
    return outcome;
  } catch (const Error&) {
    return std::nullopt;  // only a shortcut: the run finds out by itself
  }
}

std::vector<engine::Event> events_of(const RememberedOutcome& outcome, int exit_code,
                                     double seconds) {
  std::vector<engine::Event> events;
  events.emplace_back(engine::RunStarted{.run_id = "", .actions = outcome.actions});
  for (const ActionFinished& one : outcome.held) events.emplace_back(one);
  engine::Counters counters;
  counters.reused = outcome.up_to_date;
  counters.held = outcome.held.size();
  counters.seconds = seconds;
  events.emplace_back(engine::RunFinished{counters, exit_code});
  return events;
}

}  // namespace qbuild::cli
