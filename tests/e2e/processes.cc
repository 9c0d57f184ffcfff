#include "tests/e2e/processes.h"

#include <charconv>
#include <string>
#include <thread>

#include "tests/e2e/project.h"

namespace qbuild::e2e {

std::vector<int> processes_in(const std::filesystem::path& folder) {
  std::vector<int> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    std::error_code error;
    const fs::path cwd = fs::read_symlink(entry.path() / "cwd", error);
    const bool works_there = !error && cwd == folder;
    if (works_there ||
        read_whole(entry.path() / "cmdline").find(folder.string()) != std::string::npos)
      found.push_back(pid);
  }
  return found;
}

bool all_end_in(const std::filesystem::path& folder, std::chrono::seconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!processes_in(folder).empty()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace qbuild::e2e
