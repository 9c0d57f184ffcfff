#include "base/subprocess_child.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace qbuild {
namespace {

// How often a pipe that somebody else may hold is left to ask whether the child still runs.
constexpr int kLookMs = 50;
// More than a pipe holds: what is read of it after the child has ended. What comes then without end
// is not the child's.
constexpr std::size_t kMaxBytesAfterEnd = 2u << 20;
constexpr std::size_t kChunkBytes = std::size_t{64} * 1024;

// Of the end alone: the child's own end blocks as ever.
void make_nonblocking(const UniqueFd& fd) {
  if (fd.valid() && ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0)
    throw_errno(errno, "set up a pipe");
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
  explicit PosixChild(StartedChild started)
      : pid_(started.pid),
        stdin_(std::move(started.stdin_end)),
        stdout_(std::move(started.stdout_end)),
        own_(std::move(started.own)),
        end_strays_(started.end_strays) {
    make_nonblocking(stdin_);
    make_nonblocking(stdout_);
  }

  ~PosixChild() override {
    if (waited_) return;
    ::kill(-pid_, SIGKILL);
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
    {
      const auto lock = own_->lock();
      static_cast<void>(::waitpid(pid_, nullptr, WNOHANG));
      own_->forget(pid_);
    }
    if (end_strays_) static_cast<void>(own_->end_strays(pid_));
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
      } else if (errno == EAGAIN) {
        if (!becomes_ready(stdin_, POLLOUT)) return false;
      } else if (errno != EINTR) {
        throw_errno(errno, fmt::format("write to process {}", pid_));
      }
    }
    return true;
  }

  void close_stdin() override { stdin_.reset(); }

  [[nodiscard]] std::optional<std::string> read_line(std::size_t max_bytes) override {
    check(stdout_.valid(), "a child's output is read through a pipe");
    std::size_t searched = begin_;
    while (true) {
      const std::size_t newline = buffer_.find('\n', searched);
      if (std::min(newline, buffer_.size()) - begin_ > max_bytes) {
        throw Error(
            ErrorKind::kExhausted,
            fmt::format("process {} printed a line of more than {} bytes", pid_, max_bytes));
      }
      if (newline != std::string::npos) {
        std::string line = take(newline - begin_);
        ++begin_;
        return line;
      }
      buffer_.erase(0, std::exchange(begin_, 0));
      searched = buffer_.size();
      const std::size_t got = receive(chunk_);
      buffer_.append(chunk_.data(), got);
      if (got > 0) continue;
      if (buffer_.empty()) return std::nullopt;
      return std::exchange(buffer_, "");  // the last line, which the child did not end
    }
  }

  [[nodiscard]] std::string read(std::size_t max_bytes) override {
    check(stdout_.valid() && max_bytes > 0, "a child's output is read through a pipe");
    if (begin_ == buffer_.size()) {
      buffer_.assign(chunk_.data(), receive(chunk_));
      begin_ = 0;
    }
    return take(std::min(max_bytes, buffer_.size() - begin_));
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
    int status = 0;
    rusage used{};
    {
      const auto lock_children = own_->lock();
      const std::lock_guard lock(mutex_);
      check(!waited_, "a child is waited for once");
      ::kill(-pid_, SIGKILL);  // what it left running
      while (::wait4(pid_, &status, 0, &used) < 0) {
        if (errno != EINTR) throw_errno(errno, fmt::format("wait for process {}", pid_));
      }
      waited_ = true;
      own_->forget(pid_);
    }
    ProcessExit result;
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result.exit_code = result.signal != 0 ? 128 + result.signal : WEXITSTATUS(status);
    result.peak_memory_bytes = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    result.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
    if (end_strays_) result.strays = own_->end_strays(pid_);
    return result;
  }

 private:
  using Chunk = std::array<char, kChunkBytes>;

  // The next `size` bytes of what was read.
  [[nodiscard]] std::string take(std::size_t size) {
    std::string text = buffer_.substr(begin_, size);
    begin_ += size;
    return text;
  }

  // Blocks for at least a byte; 0 at the end.
  [[nodiscard]] std::size_t receive(Chunk& chunk) {
    while (true) {
      const bool ended = has_ended();
      if (ended && bytes_after_end_ > kMaxBytesAfterEnd) return 0;
      const ssize_t got = ::read(stdout_.get(), chunk.data(), chunk.size());
      if (got >= 0) {
        if (ended) bytes_after_end_ += static_cast<std::size_t>(got);
        return static_cast<std::size_t>(got);
      }
      if (errno == EAGAIN && !becomes_ready(stdout_, POLLIN)) return 0;
      if (errno != EINTR && errno != EAGAIN)
        throw_errno(errno, fmt::format("read from process {}", pid_));
    }
  }

  // Waits for it. False: it is not, and the child has ended.
  [[nodiscard]] bool becomes_ready(const UniqueFd& fd, short events) {
    while (true) {
      // Asked first: what it wrote before its end is there by now.
      const bool ended = has_ended();
      pollfd wanted{.fd = fd.get(), .events = events, .revents = 0};
      const int ready = ::poll(&wanted, 1, ended ? 0 : kLookMs);
      if (ready > 0) return true;
      if (ready == 0 && ended) return false;
      if (ready < 0 && errno != EINTR) throw_errno(errno, "wait for a pipe");
    }
  }

  [[nodiscard]] bool has_ended() {
    const std::lock_guard lock(mutex_);
    if (waited_) return true;
    siginfo_t info{};
    const int result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    return result == 0 && info.si_pid != 0;
  }

  const pid_t pid_;
  UniqueFd stdin_;
  UniqueFd stdout_;
  const std::shared_ptr<OwnChildren> own_;
  const bool end_strays_;
  Chunk chunk_{};
  std::string buffer_;  // read from stdout; from begin_ on not yet returned
  std::size_t begin_ = 0;
  std::size_t bytes_after_end_ = 0;
  std::mutex mutex_;  // guards waited_ against signal_group
  bool waited_ = false;
};

}  // namespace

std::unique_ptr<ChildProcess> make_child(StartedChild started) {
  return std::make_unique<PosixChild>(std::move(started));
}

}  // namespace qbuild
