#pragma once
// A qbuild project in a temporary folder, driven through the real program: write a manifest, run a
// command, look at counters, events and files.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/subprocess.h"

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

// How the program is started.
struct RunSetting {
  std::map<std::string, std::string> environment{};  // beside what every run gets
  // Shell commands before it, in its own process: "umask 077", "ulimit -n 64", "exec >&-".
  std::string shell{};
};

// A program that runs beside the test. Ended (SIGKILL, with its group) if it was not waited for.
class Running {
 public:
  enum class Prints : std::uint8_t { kText, kEvents };  // kEvents: one JSON value a line

  Running(std::unique_ptr<ChildProcess> child, fs::path stderr_file, Prints prints);

  // Reads events up to the first of that name; false if there is none.
  [[nodiscard]] bool wait_for(std::string_view event);
  [[nodiscard]] int pid() const;
  // To the program alone, not to what it started. Any thread, as the next.
  void kill(int signal) const;
  void kill_group(int signal) const;
  // Reads the rest and waits.
  [[nodiscard]] RunResult finish();

 private:
  bool read_line();

  std::unique_ptr<ChildProcess> child_;
  fs::path stderr_file_;
  Prints prints_;
  bool is_cut_ = false;  // the last line was no whole event: what printed it was killed
  RunResult result_;
};

class Project {
 public:
  Project();
  // A folder of that name in a temporary one.
  explicit Project(const fs::path& name);
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
  [[nodiscard]] RunResult run_as(const RunSetting& setting,
                                 std::vector<std::string> arguments) const;
  // The same with --json, its events parsed.
  [[nodiscard]] RunResult run_json(std::vector<std::string> arguments) const;
  // The same, beside the test. Any number at once.
  [[nodiscard]] std::unique_ptr<Running> start_json(std::vector<std::string> arguments,
                                                    const RunSetting& setting = {}) const;

  // From now on runs this program instead of program_path(), and with this variable.
  void set_program(fs::path program) { program_ = std::move(program); }
  void set_variable(const std::string& name, const std::string& value) { variables_[name] = value; }

  // SHA-256 of every file below `relative`, by relative path.
  [[nodiscard]] std::map<std::string, std::string> digests(const fs::path& relative) const;

 private:
  [[nodiscard]] std::unique_ptr<Running> start(const RunSetting& setting,
                                               std::vector<std::string> arguments,
                                               Running::Prints prints) const;

  fs::path temporary_;
  fs::path root_;
  fs::path program_;
  std::map<std::string, std::string> variables_;
};

[[nodiscard]] fs::path program_path();  // the built qbuild
// The same beside a worker whose clock and memory are a test's: what it measures is always the
// same.
[[nodiscard]] fs::path metered_program_path();
[[nodiscard]] std::string read_whole(const fs::path& path);

}  // namespace qbuild::e2e
