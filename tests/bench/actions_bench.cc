// What the engine costs per action: qbuild_bench_actions [FOLDER [ACTIONS [RUNS]]].
// Actions that do next to nothing, each with its record, flushed, in a store under FOLDER (the
// current one unless said otherwise): light ones in the engine, and heavy ones, each with a file of
// four kilobytes to store, one after another in a reused worker, which is this program too. Prints
// milliseconds per action of the shortest and the longest run. What a run made is removed after the
// last one: an ext4 without a journal takes longer to make a file for some minutes after others
// were removed.

#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "cache/store.h"
#include "engine/builder.h"
#include "engine/graph.h"
#include "engine/worker_executor.h"
#include "engine/worker_loop.h"

namespace {

using namespace qbuild;          // NOLINT(google-build-using-namespace)
using namespace qbuild::engine;  // NOLINT(google-build-using-namespace)

constexpr std::string_view kAsWorker = "--worker";
constexpr std::size_t kFileBytes = 4096;

class Light final : public Rule {
 public:
  [[nodiscard]] const RuleTraits& traits() const override { return traits_; }
  [[nodiscard]] ActionResult run(const ActionRequest& request,
                                 ActionContext& /*context*/) const override {
    ActionResult result;
    result.inline_files["text"] = request.params.at("text").as_string();
    return result;
  }

 private:
  RuleTraits traits_{.name = "light", .version = "1", .weight = Weight::kLight};
};

class Heavy final : public Rule {
 public:
  [[nodiscard]] const RuleTraits& traits() const override { return traits_; }
  [[nodiscard]] ActionResult run(const ActionRequest& request,
                                 ActionContext& context) const override {
    std::string text = request.params.at("text").as_string();
    text.resize(kFileBytes, '.');
    const fs::path path = request.scratch / "out";
    const auto file = context.file_system().create(path, CreateMode::kExclusive);
    file->append(as_bytes(text));
    file->close();
    ActionResult result;
    result.files.push_back(
        {.name = "out", .path = path, .sha256 = sha256(text), .size_bytes = text.size()});
    return result;
  }

 private:
  RuleTraits traits_{.name = "heavy", .version = "1"};
};

RuleSet make_rules() {
  RuleSet rules;
  rules.add(std::make_unique<Light>());
  rules.add(std::make_unique<Heavy>());
  return rules;
}

Graph make_graph(const std::string& rule, int actions) {
  Graph graph;
  for (int i = 0; i < actions; ++i) {
    Node node;
    node.target = fmt::format("target{}", i);
    node.rule = rule;
    node.params = Json::object({{"text", fmt::format("{} {}", rule, i)}});
    graph.add(std::move(node));
  }
  graph.finish();
  return graph;
}

// Seconds that a first build in that folder takes.
double build(const fs::path& folder, const std::string& rule, int actions) {
  const auto files = make_posix_file_system();
  const auto clock = make_system_clock();
  const auto processes = make_process_runner();
  const RuleSet rules = make_rules();
  cache::Store store(*files, *clock, folder / "store");
  StatTable stats(*files, *clock);
  const Graph graph = make_graph(rule, actions);
  BuildOptions options;
  options.project = folder;
  options.tool_version = "qbuild bench";
  options.heavy = make_worker_executors(
      *files, *processes, rules, ProjectFiles::of(folder),
      {.argv = {"/proc/self/exe", std::string(kAsWorker)}, .environment = current_environment()});
  Builder builder({.files = *files,
                   .clock = *clock,
                   .processes = *processes,
                   .store = store,
                   .index = nullptr,
                   .rules = rules,
                   .stats = stats},
                  options);
  std::vector<NodeId> goals;
  for (std::uint32_t i = 0; i < graph.size(); ++i) goals.push_back(NodeId{i});
  const auto progress = make_null_progress();
  const auto begin = std::chrono::steady_clock::now();
  const RunReport report = builder.run(graph, goals, *progress, {});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (report.counters.executed != static_cast<std::uint64_t>(actions))
    throw std::runtime_error("not every action was executed");
  return took.count();
}

// A new folder, removed at the end.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& where) {
    std::string path = (where / "qbuild-bench-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no folder " + path);
    path_ = path;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

int measure(const fs::path& where, int actions, int runs) {
  const TemporaryFolder all(where);
  for (const std::string rule : {"light", "heavy"}) {
    std::vector<double> took;
    for (int i = 0; i < runs; ++i) {
      const fs::path folder = all.path() / fmt::format("{}{}", rule, i);
      fs::create_directory(folder);
      took.push_back(build(folder, rule, actions) * 1e3 / actions);
    }
    const auto [least, most] = std::minmax_element(took.begin(), took.end());
    fmt::print("{:5} actions: {:.2f} to {:.2f} ms each ({} actions, {} runs)\n", rule, *least,
               *most, actions, runs);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2 && argv[1] == kAsWorker) return run_worker(make_rules());
    const int actions = argc > 2 ? std::stoi(argv[2]) : 1000;
    const int runs = argc > 3 ? std::stoi(argv[3]) : 5;
    return measure(fs::absolute(argc > 1 ? argv[1] : "."), actions, runs);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
