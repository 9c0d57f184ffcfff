#include "cli/outcome_text.h"

#include <fmt/core.h>

#include "cli/table.h"
#include "rules/display.h"
#include "rules/gates.h"

namespace qbuild::cli {
namespace {

using engine::NodeId;
using engine::NodeReport;
using engine::RunReport;
using engine::Status;

const NodeReport* find(const RunReport& report, std::optional<NodeId> id) {
  if (!id) return nullptr;
  const auto found = report.nodes.find(*id);
  return found == report.nodes.end() ? nullptr : &found->second;
}

Json result_of(const RunReport& report, std::optional<NodeId> id) {
  const NodeReport* const node = find(report, id);
  if (node == nullptr) return {};
  const auto result = node->inline_files.find("result.json");
  return result == node->inline_files.end() ? Json() : Json::parse(result->second);
}

std::string metric(const std::map<std::string, double>& metrics, const char* name, int digits) {
  const auto found = metrics.find(name);
  return found == metrics.end() ? "" : rules::display_fixed(found->second, digits);
}

std::string memory_text(const Json& speed) {
  const Json* const memory = speed.find("memory");
  return memory == nullptr ? "" : rules::display_bytes(memory->at("maximum").as_uint());
}

// The worst that happened to any of the variant's targets.
std::string state_text(const RunReport& report, const rules::VariantTargets& variant) {
  std::string text = "ready";
  for (const std::optional<NodeId>& id :
       {std::optional(variant.gate), variant.speed, variant.quality, std::optional(variant.made)}) {
    const NodeReport* const node = find(report, id);
    if (node != nullptr && node->status != Status::kReady) text = engine::status_name(node->status);
  }
  return text;
}

std::string model_table(const RunReport& report, const rules::ModelTargets& model) {
  Table table({"variant", ">size", ">bits/weight", ">perplexity", ">ratio", ">prompt t/s",
               ">generate t/s", ">memory", "state"});
  bool any = false;
  const Json source = result_of(report, model.source_quality);
  for (const rules::VariantTargets& variant : model.variants) {
    const NodeReport* const made = find(report, variant.made);
    if (made == nullptr) continue;
    any = true;
    const Json speed = result_of(report, variant.speed);
    const auto metrics = rules::measured_metrics(result_of(report, variant.quality), source, speed,
                                                 made->artifact.facts);
    const bool ready = made->status == Status::kReady;
    table.add({variant.name, ready ? rules::display_bytes(made->artifact.total_bytes()) : "",
               metric(metrics, "bits_per_weight", 2), metric(metrics, "perplexity", 3),
               metric(metrics, "perplexity_ratio", 4),
               metric(metrics, "prompt_tokens_per_second", 0),
               metric(metrics, "generate_tokens_per_second", 0), memory_text(speed),
               state_text(report, variant)});
  }
  if (!any) return "";
  std::string text = "\n" + model.name + "\n" + table.text();
  const auto metrics = rules::measured_metrics(source, {}, {}, {});
  if (metrics.contains("perplexity"))
    text += fmt::format("perplexity of the source: {}\n", metric(metrics, "perplexity", 3));
  return text;
}

std::string publish_lines(const RunReport& report, const rules::ModelTargets& model,
                          const engine::Graph& graph) {
  std::string text;
  for (const rules::PublishTargets& repository : model.repositories) {
    const NodeReport* const card = find(report, repository.card);
    if (card != nullptr && card->status == Status::kReady)
      text +=
          fmt::format("card       {}\n", graph.node(repository.card).exports.front().path.string());
    const Json receipt = result_of(report, repository.publish);
    if (!receipt.is_null())
      text += fmt::format("published  {} in {} (commit {})\n", repository.repo,
                          (repository.hub_path / "files" / repository.repo).string(),
                          receipt.get_string("commit").substr(0, 12));
  }
  return text;
}

std::string trouble_lines(const RunReport& report, const engine::Graph& graph) {
  std::string held;
  std::string failed;
  std::size_t skipped = 0;
  for (const auto& [id, node] : report.nodes) {
    const engine::Node& what = graph.node(id);
    if (node.status == Status::kHeld && what.kind == engine::NodeKind::kCheck)
      held += fmt::format("held: {}: {}\n", what.target, node.reason);
    if (node.status == Status::kSkipped && what.kind == engine::NodeKind::kAction) ++skipped;
    if (node.status != Status::kFailed) continue;
    failed += fmt::format("failed: {}: {}\n", what.target,
                          node.failure ? node.failure->message : "unknown cause");
    if (node.failure)
      for (const std::string& line : node.failure->log_tail) failed += "    | " + line + "\n";
  }
  std::string text = held + failed;
  if (skipped > 0 && report.interrupted)
    text += fmt::format("{} more target{} did not run, since the run was interrupted\n", skipped,
                        skipped == 1 ? "" : "s");
  else if (skipped == 1)
    text += "1 more target was skipped, since it needs what failed\n";
  else if (skipped > 0)
    text += fmt::format("{} more targets were skipped, since they need what failed\n", skipped);
  return text.empty() ? "" : "\n" + text;
}

}  // namespace

std::string outcome_text(const rules::Lowered& lowered, const RunReport& report,
                         const fs::path& out) {
  std::string text;
  for (const rules::ModelTargets& model : lowered.models) {
    text += model_table(report, model);
    text += publish_lines(report, model, lowered.graph);
  }
  text += trouble_lines(report, lowered.graph);
  text += fmt::format("\nfiles are in {}\n", out.string());
  return text;
}

}  // namespace qbuild::cli
