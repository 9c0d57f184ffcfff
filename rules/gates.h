#pragma once
// Gates: bounds on measured values that a variant must keep before it is published. They are judged
// outside the measurements, so a changed bound measures nothing again.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/node.h"

namespace qbuild::rules {

struct Gate {
  std::string metric;
  std::optional<double> min;
  std::optional<double> max;
};

// Which key of `benchmark` must be there for a metric; kItself: the file says it.
enum class MeasuredBy : std::uint8_t { kItself, kPerplexity, kThroughput };
struct GateMetric {
  std::string_view name;
  MeasuredBy by;
};
// Words that a gate may name.
[[nodiscard]] std::span<const GateMetric> gate_metrics();
[[nodiscard]] MeasuredBy measured_by(std::string_view metric);

// The measured values of one variant by metric. A result that is null contributes nothing.
//   quality, source_quality   results of the rule `quality`, of the variant and of its source
//   speed                     result of the rule `speed`
//   facts                     of the variant's artifact
[[nodiscard]] std::map<std::string, double> measured_metrics(const Json& quality,
                                                             const Json& source_quality,
                                                             const Json& speed, const Json& facts);

// Held by the first gate that is not kept or whose metric was not measured; the reason names both
// numbers. Not-a-number keeps no gate.
[[nodiscard]] engine::Verdict judge(std::span<const Gate> gates,
                                    const std::map<std::string, double>& metrics);

}  // namespace qbuild::rules
