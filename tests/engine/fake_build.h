#pragma once
// A project and a store in a temporary folder, rules that do what a test tells them, and graphs of
// a few lines. What ran is written down, so that tests assert on work that was not done.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cache/store.h"
#include "engine/builder.h"
#include "engine/graph.h"
#include "tests/base/forwarding_file_system.h"

namespace qbuild::engine::testing {

using Behaviour = std::function<ActionResult(const ActionRequest&, ActionContext&)>;
using GroupBehaviour = std::function<void(std::span<const TogetherAction>, const ActionEnded&)>;

// A folder of the test's own, removed at its end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write_text(const fs::path& path, std::string_view text);
[[nodiscard]] std::string read_text(const fs::path& path);
// Names in the tmp/ of that store, but for the guard that docs/store.md describes.
[[nodiscard]] std::vector<std::string> scratch_in(const fs::path& store_root);

// A file in scratch, hashed as a rule would.
[[nodiscard]] ProducedFile produce(const ActionRequest& request, const std::string& name,
                                   const std::string& text);
// The content of an input: its first file, or its inline files one after another.
[[nodiscard]] std::string content_of(const ResolvedInput& input);

// Real time, but every look at the monotonic clock moves it on: waits for retries pass at once.
class HurriedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() override { return system_->unix_ns(); }
  [[nodiscard]] std::int64_t monotonic_ns() override;

 private:
  std::unique_ptr<Clock> system_ = make_system_clock();
  std::mutex mutex_;
  std::int64_t ahead_ns_ = 0;
};

// The real disk, and places to step in: before results are made durable, and where it is asked for
// its room.
class FlushHook final : public ForwardingFileSystem {
 public:
  explicit FlushHook(FileSystem& disk) : ForwardingFileSystem(disk) {}
  std::vector<std::optional<Error>> flush_each(std::span<const fs::path> paths) override {
    if (before_flush) before_flush();
    return ForwardingFileSystem::flush_each(paths);
  }
  [[nodiscard]] std::uint64_t free_bytes(const fs::path& path) override {
    return free_room ? free_room() : ForwardingFileSystem::free_bytes(path);
  }
  std::function<void()> before_flush;
  std::function<std::uint64_t()> free_room;
};

class FakeBuild {
 public:
  // Over a store of its own, or over another one's.
  explicit FakeBuild(const fs::path& store_root = {});

  // --- the graph
  // A file of the user with this content.
  NodeId source(const std::string& target, std::string_view text);
  // Of rule "make" (heavy), "light", "effect" (kProject; outdated when remote.txt is not its
  // output), "flaky" (four attempts), "resuming" (two): out = text + contents of its inputs, unless
  // a behaviour says otherwise.
  NodeId action(const std::string& target, const std::string& text,
                const std::vector<NodeId>& inputs = {}, const std::string& rule = "make");
  // Of rule "fused", in that batch: several run together.
  NodeId fused(const std::string& target, const std::string& batch = "model");
  // Held with that reason, or ready.
  NodeId check(const std::string& target, const std::vector<NodeId>& inputs,
               const std::optional<std::string>& held_because);
  [[nodiscard]] Node& node(NodeId id) { return graph.node(id); }
  // Makes the input from `from` soft.
  void soften(NodeId consumer, NodeId from);

  // --- runs
  // Everything is a goal, unless goals are given.
  RunReport run(std::vector<NodeId> goals = {});
  Plan plan(std::vector<NodeId> goals = {});
  // Targets that ran since the last call, in the order in which they began.
  std::vector<std::string> take_ran();
  // Those that ran together since then, as they stood in their group.
  std::vector<std::vector<std::string>> take_groups();
  [[nodiscard]] Explanation why(const std::string& target);

  // For another graph over the same project, store and behaviours.
  void new_graph() {
    graph = Graph();
    is_finished_ = false;
  }

  TemporaryFolder folder;
  std::unique_ptr<FileSystem> disk = make_posix_file_system();
  std::unique_ptr<FlushHook> files = std::make_unique<FlushHook>(*disk);
  HurriedClock clock;
  std::unique_ptr<ProcessRunner> processes = make_process_runner();
  cache::Store store;
  StatTable stats;
  RuleSet rules;
  BuildOptions options;
  std::unique_ptr<Progress> progress = make_null_progress();
  std::stop_source stop;
  cache::Index* index = nullptr;
  Graph graph;
  std::map<std::string, Behaviour> behaviours;  // by target; set before a run
  GroupBehaviour group_behaviour;               // of all groups, instead of one after the other
  ProjectFiles project;

  [[nodiscard]] Environment environment();

 private:
  class FakeRule;
  void finish_graph();
  std::vector<NodeId> goals_or_all(std::vector<NodeId> goals) const;
  ActionResult run_rule(const ActionRequest& request, ActionContext& context);

  bool is_finished_ = false;
  std::mutex mutex_;
  std::vector<std::string> ran_;
  std::vector<std::vector<std::string>> groups_;
};

[[nodiscard]] std::vector<std::string> sorted(std::vector<std::string> names);

}  // namespace qbuild::engine::testing
