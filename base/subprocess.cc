#include "base/subprocess.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/process.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>
#include <cerrno>
#include <csignal>

#include "base/check.h"
#include "base/error.h"
#include "base/subprocess_child.h"
#include "base/subprocess_strays.h"
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
    check(!spec.pipe_stderr || spec.pipe_stdout, "stderr goes into stdout's pipe");
    const int stderr_fd = spec.pipe_stderr ? stdout_fd : log.get();

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

    if (spec.end_strays) own_->adopt_orphans();
    auto lock = own_->lock();
    std::error_code error;
    bp::group group;
    bp::child child(bp::exe = program, bp::args = arguments, group,
                    bp::posix::fd.bind(0, in.read_end.get()), bp::posix::fd.bind(1, stdout_fd),
                    bp::posix::fd.bind(2, stderr_fd), bp::extend::on_setup = set_environment,
                    bp::extend::on_exec_setup = prepare, error);
    const pid_t pid = child.id();
    // From here the pid is ours: Boost's wait knows neither peak memory nor a wait that does not
    // reap.
    child.detach();
    group.detach();
    if (error) cannot_start(spec.argv.front(), error.value());
    own_->add(pid);
    lock.unlock();
    return make_child({.pid = pid,
                       .stdin_end = std::move(in.write_end),
                       .stdout_end = std::move(out.read_end),
                       .own = own_,
                       .end_strays = spec.end_strays});
  }

 private:
  // Shared with the children, which may outlive the runner.
  const std::shared_ptr<OwnChildren> own_ = std::make_shared<OwnChildren>();
};

}  // namespace

std::unique_ptr<ProcessRunner> make_process_runner() {
  return std::make_unique<PosixProcessRunner>();
}

std::string stray_text(const Stray& stray) {
  return fmt::format("process {} ({}) had left the group and {}", stray.pid, stray.command,
                     stray.has_ended ? "was ended" : "still runs: it could not be ended");
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
