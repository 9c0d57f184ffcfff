#pragma once
// A FakeBuild whose heavy actions run in the test worker.

#include <string>
#include <vector>

#include "engine/worker_executor.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {

class WorkerBuild : public FakeBuild {
 public:
  // Another program than the test worker: a shell line. Over a store of its own, or another one's.
  explicit WorkerBuild(const std::string& shell_line = "", const fs::path& store_root = {});

  // An action that does what tests/engine/test_worker.cc knows.
  NodeId does(const std::string& target, const std::string& what, const std::string& rule = "make");
  // One of rule "fused", in batch "model".
  NodeId does_fused(const std::string& target, const std::string& what);
  // How many there were in each group that a worker began.
  [[nodiscard]] std::vector<int> groups() const;
  [[nodiscard]] fs::path pid_file() const { return folder.path() / "pid"; }
  // Waits for the file that "wait" and "deaf" write, and reads it.
  [[nodiscard]] int wait_for_pid() const;
};

// Waits until no such process is left; false if it stays for too long.
[[nodiscard]] bool has_gone(int pid, double seconds);

}  // namespace qbuild::engine::testing
