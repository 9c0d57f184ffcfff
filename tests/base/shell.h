#pragma once
// Children that are shell lines, and what became of processes.

#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "base/subprocess.h"

namespace qbuild::test {

inline ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.argv = {"sh", "-c", script};
  spec.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
  return spec;
}

inline std::unique_ptr<ChildProcess> start(const ProcessSpec& spec) {
  return make_process_runner()->start(spec);
}

inline std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A dead process whose new parent does not ask for it (PID 1 of a container) stays as a zombie.
inline bool is_running(int pid) {
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat[name_end + 2] != 'Z';
}

// An outcome that is only announced by the system: asked for again until it is there.
template <typename Condition>
bool eventually(const Condition& condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    ::usleep(1000);
  }
  return false;
}

}  // namespace qbuild::test
