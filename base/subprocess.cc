#include "base/subprocess.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/process.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "base/check.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace qbuild {
namespace {

namespace bp = boost::process;

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

// Boost's own pipes lack O_CLOEXEC: a second child would hold the first one's stdin open.
Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno(errno, "make a pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd open_or_throw(const std::filesystem::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (!fd.valid()) throw_errno(errno, fmt::format("open {}", path.string()));
  return fd;
}

// Writing to a child that is gone must be an answer, not a signal that ends this process; other
// threads and what the program does about SIGPIPE elsewhere are left alone.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeBlocked() {
    if (sigismember(&before_, SIGPIPE) == 0) {
      const timespec at_once{};
      while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

class PosixChild final : public ChildProcess {
 public:
  PosixChild(pid_t pid, UniqueFd stdin_end, UniqueFd stdout_end)
      : pid_(pid), stdin_(std::move(stdin_end)), stdout_(std::move(stdout_end)) {}

  ~PosixChild() override {
    if (waited_) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  PosixChild(const PosixChild&) = delete;
  PosixChild& operator=(const PosixChild&) = delete;

  [[nodiscard]] int pid() const override { return pid_; }

  bool write(std::string_view bytes) override {
    check(stdin_.valid(), "a child is written to while its stdin is open");
    const SigpipeBlocked blocked;
    while (!bytes.empty()) {
      const ssize_t put = ::write(stdin_.get(), bytes.data(), bytes.size());
      if (put >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(put));
      } else if (errno == EPIPE) {
        return false;
      } else if (errno != EINTR) {
        throw_errno(errno, fmt::format("write to process {}", pid_));
      }
    }
    return true;
  }

  void close_stdin() override { stdin_.reset(); }

  [[nodiscard]] std::optional<std::string> read_line(std::size_t max_bytes) override {
    check(stdout_.valid(), "a child's output is read through a pipe");
    std::size_t searched = 0;
    while (true) {
      const std::size_t newline = buffer_.find('\n', searched);
      if (std::min(newline, buffer_.size()) > max_bytes) {
        throw Error(
            ErrorKind::kExhausted,
            fmt::format("process {} printed a line of more than {} bytes", pid_, max_bytes));
      }
      if (newline != std::string::npos) {
        std::string line = buffer_.substr(0, newline);
        buffer_.erase(0, newline + 1);
        return line;
      }
      searched = buffer_.size();
      if (fill()) continue;
      if (buffer_.empty()) return std::nullopt;
      return std::exchange(buffer_, "");  // the last line, which the child did not end
    }
  }

  void signal_group(int signal) override {
    const std::lock_guard lock(mutex_);
    // Once the leader is reaped its number may belong to somebody else.
    if (!waited_) ::kill(-pid_, signal);
  }

  [[nodiscard]] ProcessExit wait() override {
    siginfo_t info{};
    // Without reaping, so that signal_group stays right while this thread sleeps.
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0) {
      if (errno != EINTR) throw_errno(errno, fmt::format("wait for process {}", pid_));
    }
    const std::lock_guard lock(mutex_);
    check(!waited_, "a child is waited for once");
    ::kill(-pid_, SIGKILL);  // what it left running
    int status = 0;
    rusage used{};
    while (::wait4(pid_, &status, 0, &used) < 0) {
      if (errno != EINTR) throw_errno(errno, fmt::format("wait for process {}", pid_));
    }
    waited_ = true;
    ProcessExit result;
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result.exit_code = result.signal != 0 ? 128 + result.signal : WEXITSTATUS(status);
    result.peak_memory_bytes = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    result.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
    return result;
  }

 private:
  // False at the end of the child's output.
  bool fill() {
    std::array<char, std::size_t{16} * 1024> chunk{};
    while (true) {
      const ssize_t got = ::read(stdout_.get(), chunk.data(), chunk.size());
      if (got > 0) buffer_.append(chunk.data(), static_cast<std::size_t>(got));
      if (got >= 0) return got > 0;
      if (errno != EINTR) throw_errno(errno, fmt::format("read from process {}", pid_));
    }
  }

  const pid_t pid_;
  UniqueFd stdin_;
  UniqueFd stdout_;
  std::string buffer_;  // read from stdout, not yet returned
  std::mutex mutex_;    // guards waited_ against signal_group
  bool waited_ = false;
};

// The value of NAME in a list of NAME=VALUE.
std::optional<std::string> variable(const std::vector<std::string>& environment,
                                    std::string_view name) {
  for (const std::string& entry : environment) {
    const bool is_it = entry.size() > name.size() && entry[name.size()] == '=' &&
                       entry.compare(0, name.size(), name) == 0;
    if (is_it) return entry.substr(name.size() + 1);
  }
  return std::nullopt;
}

// Where the program is. The child's PATH counts; one without a PATH gets ours.
std::string locate(const ProcessSpec& spec) {
  const std::string& name = spec.argv.front();
  if (name.find('/') != std::string::npos) return name;
  std::optional<std::string> path = variable(spec.environment, "PATH");
  if (!path) path = variable(current_environment(), "PATH");
  const std::string folders = path.value_or("/usr/local/bin:/usr/bin:/bin");
  bool denied = false;
  for (std::size_t start = 0; start <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', start), folders.size());
    const std::filesystem::path candidate =
        std::filesystem::path(folders.substr(start, end - start)) / name;
    start = end + 1;
    std::error_code error;
    if (!std::filesystem::is_regular_file(candidate, error)) continue;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate.string();
    denied = true;
  }
  if (denied) {
    throw Error(ErrorKind::kDenied, fmt::format("cannot start {}: not executable", name));
  }
  throw Error(ErrorKind::kNotFound, fmt::format("cannot start {}: not found in PATH", name));
}

void check_working_directory(const ProcessSpec& spec) {
  if (spec.working_directory.empty()) return;
  std::error_code error;
  if (std::filesystem::is_directory(spec.working_directory, error)) return;
  throw Error(ErrorKind::kNotFound,
              fmt::format("cannot start {}: no such folder {}", spec.argv.front(),
                          spec.working_directory.string()));
}

// A mask that blocks signals and an ignored SIGPIPE would outlive exec.
void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
}

// In the child, before exec. The parent may have died before the kernel knew of the wish: then the
// child has another parent by now, and would wait for a death that has been.
void die_with(pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) ::_exit(125);
}

[[noreturn]] void cannot_start(const std::string& name, int error_number) {
  const std::string what = fmt::format("cannot start {}", name);
  if (error_number == EACCES) throw Error(ErrorKind::kDenied, what + ": not executable");
  throw_errno(error_number, what);
}

class PosixProcessRunner final : public ProcessRunner {
 public:
  [[nodiscard]] std::unique_ptr<ChildProcess> start(const ProcessSpec& spec) override {
    check(!spec.argv.empty(), "a process has a program");
    const std::string program = locate(spec);
    check_working_directory(spec);

    Pipe in;
    Pipe out;
    if (spec.pipe_stdin) {
      in = make_pipe();
    } else {
      in.read_end = open_or_throw("/dev/null", O_RDONLY);
    }
    const UniqueFd log = spec.output_log.empty()
                             ? open_or_throw("/dev/null", O_WRONLY)
                             : open_or_throw(spec.output_log, O_WRONLY | O_CREAT | O_APPEND);
    if (spec.pipe_stdout) out = make_pipe();
    const int stdout_fd = spec.pipe_stdout ? out.write_end.get() : log.get();

    // Not Boost's environment type: looking a name up in it reads past the end of shorter entries
    // (1.74).
    std::vector<std::string> entries = spec.environment;
    std::vector<char*> environment;
    for (std::string& entry : entries) {
      check(entry.find('=') != std::string::npos, "an environment is a list of NAME=VALUE");
      environment.push_back(entry.data());
    }
    environment.push_back(nullptr);
    const auto set_environment = [&environment](auto& executor) {
      executor.env = environment.data();
    };
    const std::vector<std::string> arguments(spec.argv.begin() + 1, spec.argv.end());
    const std::string directory = spec.working_directory.string();
    const pid_t parent = ::getpid();
    const bool end_with_parent = spec.end_with_parent;
    const auto prepare = [&directory, parent, end_with_parent](auto& /*executor*/) {
      if (end_with_parent) die_with(parent);
      reset_signals();
      // Boost would go on in the wrong folder.
      if (!directory.empty() && ::chdir(directory.c_str()) != 0) ::_exit(126);
    };

    std::error_code error;
    bp::group group;
    bp::child child(bp::exe = program, bp::args = arguments, group,
                    bp::posix::fd.bind(0, in.read_end.get()), bp::posix::fd.bind(1, stdout_fd),
                    bp::posix::fd.bind(2, log.get()), bp::extend::on_setup = set_environment,
                    bp::extend::on_exec_setup = prepare, error);
    const pid_t pid = child.id();
    // From here the pid is ours: Boost's wait knows neither peak memory nor a wait that does not
    // reap.
    child.detach();
    group.detach();
    if (error) cannot_start(spec.argv.front(), error.value());
    return std::make_unique<PosixChild>(pid, std::move(in.write_end), std::move(out.read_end));
  }
};

}  // namespace

std::unique_ptr<ProcessRunner> make_process_runner() {
  return std::make_unique<PosixProcessRunner>();
}

std::vector<std::string> current_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    entries.emplace_back(*entry);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace qbuild
