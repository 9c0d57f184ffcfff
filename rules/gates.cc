#include "rules/gates.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace qbuild::rules {
namespace {

constexpr std::array kMetrics{
    GateMetric{"perplexity", MeasuredBy::kPerplexity},
    GateMetric{"perplexity_ratio", MeasuredBy::kPerplexity},
    GateMetric{"bits_per_weight", MeasuredBy::kItself},
    GateMetric{"prompt_tokens_per_second", MeasuredBy::kThroughput},
    GateMetric{"generate_tokens_per_second", MeasuredBy::kThroughput},
};

// The first text of a quality result: gates mean that one.
const Json* first_text(const Json& quality) {
  const Json* const texts = quality.find("texts");
  if (texts == nullptr || !texts->is_array() || texts->as_array().empty()) return nullptr;
  return &texts->as_array().front();
}

void take(std::map<std::string, double>& metrics, std::string_view name, const Json* from,
          std::string_view key) {
  const Json* const value = from == nullptr ? nullptr : from->find(key);
  if (value != nullptr && value->is_number()) metrics[std::string(name)] = value->as_double();
}

}  // namespace

std::span<const GateMetric> gate_metrics() {
  return kMetrics;
}

MeasuredBy measured_by(std::string_view metric) {
  const auto* const found =
      std::find_if(kMetrics.begin(), kMetrics.end(),
                   [&](const GateMetric& known) { return known.name == metric; });
  check(found != kMetrics.end(), "a manifest's gates are the metrics that are known");
  return found->by;
}

std::map<std::string, double> measured_metrics(const Json& quality, const Json& source_quality,
                                               const Json& speed, const Json& facts) {
  std::map<std::string, double> metrics;
  take(metrics, "perplexity", first_text(quality), "perplexity");
  const Json* const source = first_text(source_quality);
  const Json* const base = source == nullptr ? nullptr : source->find("perplexity");
  if (const auto own = metrics.find("perplexity");
      own != metrics.end() && base != nullptr && base->is_number())
    metrics["perplexity_ratio"] = own->second / base->as_double();
  take(metrics, "bits_per_weight", &facts, "bits_per_weight");
  take(metrics, "prompt_tokens_per_second", speed.find("prompt"), "tokens_per_second");
  take(metrics, "generate_tokens_per_second", speed.find("generate"), "tokens_per_second");
  return metrics;
}

engine::Verdict judge(std::span<const Gate> gates, const std::map<std::string, double>& metrics) {
  for (const Gate& gate : gates) {
    const auto measured = metrics.find(gate.metric);
    if (measured == metrics.end())
      return {.held = true,
              .reason = fmt::format("gate {}: it was not measured", gate.metric),
              .value = {}};
    const double value = measured->second;
    if (gate.max && !(value <= *gate.max))
      return {.held = true,
              .reason = fmt::format("gate {}: {:.6g} is above {:g}", gate.metric, value, *gate.max),
              .value = {}};
    if (gate.min && !(value >= *gate.min))
      return {.held = true,
              .reason = fmt::format("gate {}: {:.6g} is below {:g}", gate.metric, value, *gate.min),
              .value = {}};
  }
  return {};
}

}  // namespace qbuild::rules
