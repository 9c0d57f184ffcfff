#pragma once
// The seam to other programs. Each child leads a process group of its own, so that it can be ended
// with whatever it started. The real one stands on Boost.Process, which stays behind subprocess.cc.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qbuild {

struct ProcessSpec {
  std::vector<std::string> argv;  // argv[0] with a slash is a path, else it is looked up in PATH
  // NAME=VALUE; exactly these, nothing inherited.
  std::vector<std::string> environment;
  std::filesystem::path working_directory;  // empty: the caller's
  std::filesystem::path
      output_log;  // stderr (and stdout unless piped) appended here; empty: dropped
  bool pipe_stdin = false;
  bool pipe_stdout = false;
  bool pipe_stderr = false;  // into stdout's pipe; needs pipe_stdout
  // Killed (SIGKILL) when the thread that starts it ends, however it ends: for what must not
  // outlive a process that may itself be killed. That thread must live until the child was waited
  // for. What the child started in turn is not reached.
  bool end_with_parent = false;
  // What it left running outside of its group is ended too when it was waited for, and named. This
  // process then adopts orphans, for good (base/subprocess_strays.h), and every child that the same
  // runner did not start counts as left behind: only for a process that starts others through one
  // runner alone.
  bool end_strays = false;
};

// A process that a child left running outside of its group.
struct Stray {
  int pid = 0;
  std::string command;  // as base/shown.h shows it
  bool has_ended = false;
};
// "process 123 (sleep 300) had left the group and was ended", "... and still runs: it could not be
// ended"
[[nodiscard]] std::string stray_text(const Stray& stray);

struct ProcessExit {
  int exit_code = 0;  // 128 + signal if a signal ended it
  int signal = 0;     // 0 if it exited by itself
  // As the system counts it: never below what this process itself had in memory when it started the
  // child. One that must know better asks itself (base/machine.h) and says so.
  std::uint64_t peak_memory_bytes = 0;
  double cpu_seconds = 0;
  std::vector<Stray> strays;  // some of them, if there are many
};

class ChildProcess {
 public:
  // Kills the group if the child was not waited for.
  virtual ~ChildProcess() = default;
  [[nodiscard]] virtual int pid() const = 0;
  // Blocks. False if the child no longer reads. Needs pipe_stdin.
  virtual bool write(std::string_view bytes) = 0;
  virtual void close_stdin() = 0;
  // Both block, need pipe_stdout, and may be called while another thread writes or waits. The end
  // has come when nobody holds the pipe any more, or when the child has ended and what it wrote is
  // read: whoever else holds the pipe then keeps nobody waiting.
  // The next line without its newline; nothing at the end. A line over max_bytes is kExhausted.
  [[nodiscard]] virtual std::optional<std::string> read_line(std::size_t max_bytes) = 0;
  // What is there, at least a byte and at most max_bytes; empty at the end.
  [[nodiscard]] virtual std::string read(std::size_t max_bytes) = 0;
  // Sends `signal` to the whole group. Any thread, also while another one waits.
  virtual void signal_group(int signal) = 0;
  // Once. Blocks until the child ends; what it left running in its group is killed then.
  [[nodiscard]] virtual ProcessExit wait() = 0;
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  // kNotFound "cannot start X: not found in PATH", kDenied if it is not executable.
  [[nodiscard]] virtual std::unique_ptr<ChildProcess> start(const ProcessSpec& spec) = 0;
};

[[nodiscard]] std::unique_ptr<ProcessRunner> make_process_runner();

// This process's environment as NAME=VALUE, sorted.
[[nodiscard]] std::vector<std::string> current_environment();

}  // namespace qbuild
