#pragma once
// Every rule, implemented: for the worker. Links models, kernels and formats, so `qbuild` leaves it
// out.

#include "engine/rule.h"

namespace qbuild::rules {

[[nodiscard]] engine::RuleSet all_rules();

}  // namespace qbuild::rules
