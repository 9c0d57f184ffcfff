// An engine for tests to kill: three actions in the test worker, of which two do what argument 2
// says and the first is done before they begin.
//   test_engine FOLDER wait|write
// Or they make files of five pieces, at the fourth of which they wait or not:
//   test_engine FOLDER pieces_wait|pieces

#include <fmt/core.h>

#include "engine/builder.h"
#include "engine/worker_executor.h"

namespace qbuild::engine {
namespace {

int run(const fs::path& folder, const std::string& what) {
  const auto files = make_posix_file_system();
  const auto clock = make_system_clock();
  const auto processes = make_process_runner();
  cache::Store store(*files, *clock, folder / "store");
  StatTable stats(*files, *clock);
  RuleSet rules;
  rules.declare({.name = "make", .version = "1"});
  rules.declare({.name = "resuming", .version = "1", .resumes = true});
  const bool is_of_pieces = what.starts_with("pieces");
  Graph graph;
  Node first;
  first.target = "first";
  first.rule = "make";
  first.params = Json::object({{"text", "first"}});
  const NodeId before = graph.add(std::move(first));
  for (int i = 0; i < 2; ++i) {
    Node node;
    node.target = fmt::format("target{}", i);
    node.rule = is_of_pieces ? "resuming" : "make";
    node.params = Json::object({{"text", node.target},
                                {"do", is_of_pieces ? "pieces" : what},
                                {"pieces", Json::parse("[\"1\",\"2\",\"3\",\"4\",\"5\"]")},
                                {"pid_file", (folder / fmt::format("pid{}", i)).string()}});
    if (what == "pieces_wait") node.context = Json::object({{"at", 3}, {"then", "wait"}});
    node.inputs = {{.label = "first", .from = before}};
    graph.add(std::move(node));
  }
  graph.finish();
  BuildOptions options;
  options.project = folder;
  options.threads = 4;
  options.tool_version = "qbuild test";
  options.heavy =
      make_worker_executors(*files, *processes, rules, ProjectFiles::of(folder),
                            {.argv = {TEST_WORKER}, .environment = current_environment()});
  Builder builder({.files = *files,
                   .clock = *clock,
                   .processes = *processes,
                   .store = store,
                   .index = nullptr,
                   .rules = rules,
                   .stats = stats},
                  options);
  const std::vector<NodeId> goals{NodeId{1}, NodeId{2}};
  const auto progress = make_null_progress();
  const RunReport report = builder.run(graph, goals, *progress, {});
  fmt::print("executed {} reused {} exit {}\n", report.counters.executed, report.counters.reused,
             exit_code(report));
  return exit_code(report);
}

}  // namespace
}  // namespace qbuild::engine

int main(int argc, char** argv) {
  return argc == 3 ? qbuild::engine::run(argv[1], argv[2]) : 2;
}
