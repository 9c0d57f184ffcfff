#include "rules/heavy_rules.h"

#include "rules/command.h"
#include "rules/quality.h"
#include "rules/quantize.h"
#include "rules/rule_table.h"
#include "rules/speed.h"

namespace qbuild::rules {

engine::RuleSet all_rules() {
  engine::RuleSet rules = light_rules();
  rules.add(make_quantize_rule());
  rules.add(make_quality_rule());
  rules.add(make_speed_rule());
  rules.add(make_command_rule());
  return rules;
}

}  // namespace qbuild::rules
