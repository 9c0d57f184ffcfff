#include "engine/rule.h"

#include "base/check.h"

namespace qbuild::engine {

const ResolvedInput& ActionRequest::input(std::string_view label) const {
  for (const ResolvedInput& candidate : inputs) {
    if (candidate.label == label) return candidate;
  }
  check(false, "a rule asks for inputs that its node has");
  return inputs.front();
}

std::optional<std::string> Rule::outdated(const cache::Record& /*record*/, const Json& /*params*/,
                                          const Json& /*context*/, FileSystem& /*files*/) const {
  return std::nullopt;
}

std::vector<fs::path> Rule::witnesses(const Json& /*params*/, const Json& /*context*/) const {
  return {};
}

void RuleSet::declare(RuleTraits traits) {
  std::string name = traits.name;
  traits_.insert_or_assign(std::move(name), std::move(traits));
}

void RuleSet::add(std::unique_ptr<Rule> rule) {
  declare(rule->traits());
  std::string name = rule->traits().name;
  rules_.insert_or_assign(std::move(name), std::move(rule));
}

const RuleTraits& RuleSet::traits(std::string_view name) const {
  const auto found = traits_.find(name);
  check(found != traits_.end(), "every rule of a graph is declared");
  return found->second;
}

const Rule* RuleSet::find(std::string_view name) const {
  const auto found = rules_.find(name);
  return found == rules_.end() ? nullptr : found->second.get();
}

}  // namespace qbuild::engine
