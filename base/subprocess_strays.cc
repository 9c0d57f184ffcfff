#include "base/subprocess_strays.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>

#include "base/shown.h"

namespace qbuild {
namespace {

constexpr std::chrono::seconds kStrayGrace{2};
// Of a command line, to be shown.
constexpr std::size_t kMaxCommandBytes = 120;
// What forks without end is killed, not listed.
constexpr std::size_t kMaxNamed = 16;

struct Child {
  int pid = 0;
  int group = 0;
  bool has_ended = false;  // and was not yet reaped
};

std::optional<int> number_of(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The process of that number if it is a child of this one.
std::optional<Child> as_child(int pid) {
  std::string line;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line);
  // "PID (NAME) STATE PARENT GROUP ...", and a name may hold anything.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string state;
  int parent = 0;
  Child child{.pid = pid};
  if (!(fields >> state >> parent >> child.group) || parent != ::getpid()) return std::nullopt;
  child.has_ended = state == "Z" || state == "X";
  return child;
}

std::vector<Child> children_of_this_process() {
  std::vector<Child> children;
  // Where nothing is left there is nothing to look for: looking costs a file per process there is.
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return children;
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::optional<int> pid = number_of(entry->path().filename().native());
    if (!pid) continue;
    if (const std::optional<Child> child = as_child(*pid)) children.push_back(*child);
  }
  return children;
}

std::string command_of(int pid) {
  std::string line(kMaxCommandBytes, '\0');
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(file.gcount()));
  while (!line.empty() && line.back() == '\0') line.pop_back();
  std::replace(line.begin(), line.end(), '\0', ' ');
  return shown(line);
}

}  // namespace

void OwnChildren::adopt_orphans() {
  const std::lock_guard lock(mutex_);
  if (is_adopting_) return;
  is_adopting_ = true;
  for (const Child& child : children_of_this_process()) own_.insert(child.pid);
  // A kernel that cannot leaves strays to its first process, where nobody finds them.
  static_cast<void>(::prctl(PR_SET_CHILD_SUBREAPER, 1));
}

std::vector<Stray> OwnChildren::end_strays(int group) {
  std::map<int, Stray> found;
  const auto deadline = std::chrono::steady_clock::now() + kStrayGrace;
  for (bool some_are_left = true; some_are_left;) {
    some_are_left = false;
    {
      const std::lock_guard lock(mutex_);
      for (const Child& child : children_of_this_process()) {
        if (own_.contains(child.pid)) continue;
        if (child.has_ended) {
          static_cast<void>(::waitpid(child.pid, nullptr, WNOHANG));
          const auto stray = found.find(child.pid);
          if (stray != found.end()) stray->second.has_ended = true;
          continue;
        }
        some_are_left = true;
        const bool is_new = child.group != group && !found.contains(child.pid);
        if (is_new && found.size() < kMaxNamed) {
          found[child.pid] = {.pid = child.pid, .command = command_of(child.pid)};
        }
        ::kill(child.pid, SIGKILL);
      }
    }
    if (std::chrono::steady_clock::now() > deadline) break;
    if (some_are_left) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::vector<Stray> strays;
  strays.reserve(found.size());
  for (auto& [pid, stray] : found) strays.push_back(std::move(stray));
  return strays;
}

}  // namespace qbuild
