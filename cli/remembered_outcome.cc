#include "cli/remembered_outcome.h"

#include "base/error.h"

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
  Json held = Json::array();
  for (const ActionFinished& one : outcome.held)
    held.push_back(
        Json::object({{"target", one.target}, {"rule", one.rule}, {"reason", one.reason}}));
  return Json::object({{"text", outcome.text},
                       {"actions", outcome.actions},
                       {"up_to_date", outcome.up_to_date},
                       {"held", std::move(held)}})
      .dump();
}

std::optional<RememberedOutcome> remembered_outcome(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    RememberedOutcome outcome{.text = json.at("text").as_string(),
                              .actions = json.at("actions").as_uint(),
                              .up_to_date = json.at("up_to_date").as_uint(),
                              .held = {}};
    for (const Json& one : json.at("held").as_array())
      outcome.held.push_back({.target = one.at("target").as_string(),
                              .rule = one.at("rule").as_string(),
                              .status = Status::kHeld,
                              .reason = one.at("reason").as_string(),
                              .failure = {}});
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
