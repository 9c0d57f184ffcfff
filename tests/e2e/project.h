#pragma once
// A qbuild project in a temporary folder, driven through the real program: write a manifest, run a
// command, look at counters, events and files.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace qbuild::e2e {

namespace fs = std::filesystem;

struct RunResult {
  int exit_code = 0;
  std::string out;
  std::string err;
  std::vector<Json> events;  // of --json runs, in order

  [[nodiscard]] const Json& summary() const;  // the last event; fails the test if it is no summary
  [[nodiscard]] std::int64_t counter(std::string_view name) const;
  // Targets that were executed, sorted.
  [[nodiscard]] std::vector<std::string> executed() const;
};

class Project {
 public:
  Project();
  ~Project();  // removes the folder unless QBUILD_KEEP_TESTS is set
  Project(const Project&) = delete;
  Project& operator=(const Project&) = delete;

  [[nodiscard]] const fs::path& root() const { return root_; }
  [[nodiscard]] fs::path path(const fs::path& relative) const { return root_ / relative; }

  void write(const fs::path& relative, std::string_view text) const;
  [[nodiscard]] std::string read(const fs::path& relative) const;
  // The trained checkpoint, copied to `relative` (without the texts), and a short evaluation text
  // to text.txt beside it.
  void add_model(const fs::path& relative) const;

  // Runs the program in root() with store, state and home inside it. Arguments as typed.
  [[nodiscard]] RunResult run(std::vector<std::string> arguments,
                              std::map<std::string, std::string> environment = {}) const;
  // The same with --json, its events parsed.
  [[nodiscard]] RunResult run_json(std::vector<std::string> arguments) const;

  // SHA-256 of every file below `relative`, by relative path.
  [[nodiscard]] std::map<std::string, std::string> digests(const fs::path& relative) const;

 private:
  fs::path root_;
};

[[nodiscard]] fs::path program_path();  // the built qbuild
[[nodiscard]] std::string read_whole(const fs::path& path);

}  // namespace qbuild::e2e
