#pragma once
// Every rule of the product: its traits, and where it is linked. `qbuild` declares all and
// implements the light ones; the worker implements all.

#include "engine/rule.h"

namespace qbuild::rules {

inline constexpr std::string_view kToolVersion = "qbuild 0.1.0";

// Versions are part of the key: raise one when the same inputs would give other outputs.
// The history of each stands beside it in rule_table.cc.
[[nodiscard]] engine::RuleTraits quantize_traits();
[[nodiscard]] engine::RuleTraits quality_traits();
[[nodiscard]] engine::RuleTraits speed_traits();
[[nodiscard]] engine::RuleTraits command_traits();
[[nodiscard]] engine::RuleTraits card_traits();
[[nodiscard]] engine::RuleTraits publish_traits();

// All declared, the light ones (card, publish) implemented: for `qbuild`.
[[nodiscard]] engine::RuleSet light_rules();

}  // namespace qbuild::rules
