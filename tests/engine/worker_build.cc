#include "tests/engine/worker_build.h"

#include <signal.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace qbuild::engine::testing {

WorkerBuild::WorkerBuild(const std::string& shell_line, const fs::path& store_root)
    : FakeBuild(store_root) {
  rules.declare({.name = "fresh", .version = "1", .worker = Worker::kFresh});
  rules.declare({.name = "fused", .version = "1", .fuses = true});
  WorkerSpec spec;
  spec.argv = shell_line.empty() ? std::vector<std::string>{TEST_WORKER}
                                 : std::vector<std::string>{"/bin/sh", "-c", shell_line};
  spec.environment = current_environment();
  options.heavy = make_worker_executors(*files, *processes, rules, project, spec);
}

NodeId WorkerBuild::does(const std::string& target, const std::string& what,
                         const std::string& rule) {
  const NodeId id = action(target, target, {}, rule);
  node(id).params["do"] = what;
  node(id).params["pid_file"] = pid_file().string();
  return id;
}

NodeId WorkerBuild::does_fused(const std::string& target, const std::string& what) {
  const NodeId id = does(target, what, "fused");
  node(id).batch = "model";
  return id;
}

std::vector<int> WorkerBuild::groups() const {
  std::vector<int> sizes;
  std::ifstream file(folder.path() / "groups");
  for (int size = 0; file >> size;) sizes.push_back(size);
  return sizes;
}

int WorkerBuild::wait_for_pid() const {
  for (int i = 0; i < 6000; ++i) {
    if (fs::exists(pid_file())) return std::stoi(read_text(pid_file()));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return 0;
}

bool has_gone(int pid, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (::kill(pid, 0) != 0) return true;
    // A dead child of a dead parent is a zombie until init looks after it, which is not our matter.
    const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
    if (stat.find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace qbuild::engine::testing
