#include "engine/rule.h"

#include <fmt/core.h>

#include "base/check.h"
#include "base/error.h"
#include "engine/fence.h"

namespace qbuild::engine {

const ResolvedInput& ActionRequest::input(std::string_view label) const {
  for (const ResolvedInput& candidate : inputs) {
    if (candidate.label == label) return candidate;
  }
  check(false, "a rule asks for inputs that its node has");
  return inputs.front();
}

std::string input_text(FileSystem& files, const ResolvedInput& input, std::string_view name) {
  const auto found = input.inline_files.find(std::string(name));
  if (found != input.inline_files.end()) return found->second;
  for (std::size_t i = 0; i < input.artifact.files.size() && i < input.paths.size(); ++i) {
    if (input.artifact.files[i].name == name && !input.paths[i].empty())
      return read_file(files, input.paths[i], kMaxInputTextBytes);
  }
  throw Error(ErrorKind::kCorrupt, fmt::format("input {} has no {}", input.label, name));
}

void Rule::run_together(std::span<const TogetherAction> actions, const ActionEnded& ended) const {
  for (std::size_t i = 0; i < actions.size(); ++i) {
    ActionOutcome outcome;
    ActionContext& context = actions[i].context;
    outcome.error = run_fenced([&] { outcome.result = run(actions[i].request, context); },
                               [&] { return context.stop().stop_requested(); });
    ended(i, std::move(outcome));
  }
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

std::vector<std::string> RuleSet::names() const {
  std::vector<std::string> names;
  for (const auto& [name, traits] : traits_) names.push_back(name);
  return names;
}

}  // namespace qbuild::engine
