#include "tests/engine/fake_build.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace qbuild::engine::testing {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "qbuild-engine-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = fs::canonical(pattern);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void write_text(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> scratch_in(const fs::path& store_root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(store_root / "tmp")) {
    if (entry.path().filename() != "guard") names.push_back(entry.path().filename().string());
  }
  return names;
}

ProducedFile produce(const ActionRequest& request, const std::string& name,
                     const std::string& text) {
  write_text(request.scratch / name, text);
  return {.name = name,
          .path = request.scratch / name,
          .sha256 = sha256(text),
          .size_bytes = text.size()};
}

std::string content_of(const ResolvedInput& input) {
  std::string content;
  for (const fs::path& path : input.paths) {
    if (!path.empty()) content += read_text(path);
  }
  for (const auto& [name, bytes] : input.inline_files) content += bytes;
  return content;
}

std::int64_t HurriedClock::monotonic_ns() {
  constexpr std::int64_t kStepNs = 1'000'000'000;
  const std::lock_guard lock(mutex_);
  ahead_ns_ += kStepNs;
  return system_->monotonic_ns() + ahead_ns_;
}

class FakeBuild::FakeRule final : public Rule {
 public:
  FakeRule(FakeBuild& build, RuleTraits traits) : build_(build), traits_(std::move(traits)) {}

  [[nodiscard]] const RuleTraits& traits() const override { return traits_; }
  [[nodiscard]] ActionResult run(const ActionRequest& request,
                                 ActionContext& context) const override {
    return build_.run_rule(request, context);
  }
  void run_together(std::span<const TogetherAction> actions,
                    const ActionEnded& ended) const override {
    std::vector<std::string> targets;
    for (const TogetherAction& action : actions) targets.push_back(action.request.target);
    {
      const std::lock_guard lock(build_.mutex_);
      build_.groups_.push_back(std::move(targets));
    }
    if (build_.group_behaviour) {
      build_.group_behaviour(actions, ended);
    } else {
      Rule::run_together(actions, ended);
    }
  }
  [[nodiscard]] std::optional<std::string> outdated(const cache::Record& record,
                                                    const Json& /*params*/, const Json& /*context*/,
                                                    FileSystem& /*files*/) const override {
    const std::string there = read_text(remote());
    if (there == record.inline_files.at("receipt")) return std::nullopt;
    return "the remote says \"" + there + "\"";
  }
  [[nodiscard]] std::vector<fs::path> witnesses(const Json& /*params*/,
                                                const Json& /*context*/) const override {
    if (traits_.caching != Caching::kProject) return {};
    return {remote()};
  }

 private:
  [[nodiscard]] fs::path remote() const { return build_.folder.path() / "remote.txt"; }

  FakeBuild& build_;
  RuleTraits traits_;
};

FakeBuild::FakeBuild(const fs::path& store_root)
    : store(*files, clock, store_root.empty() ? folder.path() / "store" : store_root),
      stats(*files, clock) {
  const auto add = [&](RuleTraits traits) {
    rules.add(std::make_unique<FakeRule>(*this, std::move(traits)));
  };
  add({.name = "make", .version = "1"});
  add({.name = "light", .version = "1", .weight = Weight::kLight});
  add({.name = "effect", .version = "1", .weight = Weight::kLight, .caching = Caching::kProject});
  add({.name = "flaky", .version = "1", .max_attempts = 4});
  add({.name = "fused", .version = "1", .fuses = true});
  add({.name = "resuming", .version = "1", .max_attempts = 2, .resumes = true});
  options.project = folder.path();
  options.threads = 4;
  options.tool_version = "qbuild test";
  project = ProjectFiles::of(folder.path());
}

NodeId FakeBuild::source(const std::string& target, std::string_view text) {
  const fs::path path = folder.path() / "sources" / target;
  write_text(path, text);
  Node node;
  node.kind = NodeKind::kSource;
  node.target = target;
  node.artifact.files = {
      {.name = "text", .sha256 = stats.digest_file(path), .size_bytes = text.size()}};
  node.paths = {path};
  return graph.add(std::move(node));
}

NodeId FakeBuild::action(const std::string& target, const std::string& text,
                         const std::vector<NodeId>& inputs, const std::string& rule) {
  Node node;
  node.target = target;
  node.rule = rule;
  node.params = Json::object({{"text", text}});
  for (const NodeId from : inputs) {
    node.inputs.push_back({.label = "in." + graph.node(from).target, .from = from});
  }
  return graph.add(std::move(node));
}

NodeId FakeBuild::fused(const std::string& target, const std::string& batch) {
  const NodeId id = action(target, target, {}, "fused");
  node(id).batch = batch;
  return id;
}

NodeId FakeBuild::check(const std::string& target, const std::vector<NodeId>& inputs,
                        const std::optional<std::string>& held_because) {
  Node node;
  node.kind = NodeKind::kCheck;
  node.target = target;
  for (const NodeId from : inputs) {
    node.inputs.push_back({.label = "in." + graph.node(from).target, .from = from});
  }
  node.judge = [held_because](std::span<const InputValue> /*inputs*/) {
    Verdict verdict;
    verdict.held = held_because.has_value();
    verdict.reason = held_because.value_or("");
    return verdict;
  };
  return graph.add(std::move(node));
}

void FakeBuild::soften(NodeId consumer, NodeId from) {
  for (Input& input : graph.node(consumer).inputs) {
    if (input.from == from) input.needs = Needs::kReadyOrHeld;
  }
}

Environment FakeBuild::environment() {
  return {.files = *files,
          .clock = clock,
          .processes = *processes,
          .store = store,
          .index = index,
          .rules = rules,
          .stats = stats};
}

void FakeBuild::finish_graph() {
  if (!is_finished_) graph.finish();
  is_finished_ = true;
}

std::vector<NodeId> FakeBuild::goals_or_all(std::vector<NodeId> goals) const {
  if (!goals.empty()) return goals;
  for (std::uint32_t i = 0; i < graph.size(); ++i) goals.push_back(NodeId{i});
  return goals;
}

RunReport FakeBuild::run(std::vector<NodeId> goals) {
  finish_graph();
  Builder builder(environment(), options);
  return builder.run(graph, goals_or_all(std::move(goals)), *progress, stop.get_token());
}

Plan FakeBuild::plan(std::vector<NodeId> goals) {
  finish_graph();
  Builder builder(environment(), options);
  return builder.plan(graph, goals_or_all(std::move(goals)));
}

Explanation FakeBuild::why(const std::string& target) {
  return plan().find(*graph.find(target))->explanation;
}

std::vector<std::string> FakeBuild::take_ran() {
  const std::lock_guard lock(mutex_);
  return std::exchange(ran_, {});
}

std::vector<std::vector<std::string>> FakeBuild::take_groups() {
  const std::lock_guard lock(mutex_);
  return std::exchange(groups_, {});
}

ActionResult FakeBuild::run_rule(const ActionRequest& request, ActionContext& context) {
  {
    const std::lock_guard lock(mutex_);
    ran_.push_back(request.target);
  }
  const auto behaviour = behaviours.find(request.target);
  if (behaviour != behaviours.end()) return behaviour->second(request, context);
  std::string text = request.params.at("text").as_string();
  for (const ResolvedInput& input : request.inputs) text += "|" + content_of(input);
  ActionResult result;
  if (request.rule == "effect") {
    write_text(folder.path() / "remote.txt", text);
    result.inline_files["receipt"] = text;
  } else {
    result.files.push_back(produce(request, "out", text));
  }
  return result;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace qbuild::engine::testing
