#include "rules/rule_table.h"

#include "rules/card.h"
#include "rules/publish.h"

namespace qbuild::rules {

using engine::Caching;
using engine::RuleTraits;
using engine::Weight;
using engine::Worker;

RuleTraits quantize_traits() {
  // 2: the facet "tensors" is made of checksums
  return {.name = "quantize", .version = "2", .fuses = true, .resumes = true};
}

RuleTraits quality_traits() {
  return {.name = "quality", .version = "1"};
}

RuleTraits speed_traits() {
  return {.name = "speed", .version = "1", .worker = Worker::kFresh};
}

RuleTraits command_traits() {
  return {.name = "command", .version = "1", .worker = Worker::kFresh};
}

RuleTraits card_traits() {
  // 2: why a variant is held, scored tokens, base_model, the usual example, links that work
  return {.name = "card", .version = "2", .weight = Weight::kLight};
}

RuleTraits publish_traits() {
  return {.name = "publish",
          .version = "1",
          .weight = Weight::kLight,
          .caching = Caching::kProject,
          .max_attempts = 4};  // a branch that moved between reading and committing is read again
}

engine::RuleSet light_rules() {
  engine::RuleSet rules;
  rules.declare(quantize_traits());
  rules.declare(quality_traits());
  rules.declare(speed_traits());
  rules.declare(command_traits());
  rules.add(make_card_rule());
  rules.add(make_publish_rule());
  return rules;
}

}  // namespace qbuild::rules
