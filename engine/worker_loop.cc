#include "engine/worker_loop.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "engine/action_runner.h"
#include "engine/worker_protocol.h"

namespace qbuild::engine {
namespace {

// Exit codes of the worker program: 0 its stdin closed between actions.
constexpr int kExitProtocol = 2;  // the engine wrote nonsense
constexpr int kExitStopped = 3;   // asked to stop in the middle of an action

// Lines to the engine. Rules log from any thread.
class Outbox {
 public:
  explicit Outbox(int fd) : fd_(fd) {}

  void send(const std::string& line) {
    const std::lock_guard lock(mutex_);
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t put = ::write(fd_, rest.data(), rest.size());
      if (put >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(put));
      } else if (errno != EINTR) {
        return;  // the engine is gone; the closed stdin says so too
      }
    }
  }

 private:
  int fd_;
  std::mutex mutex_;
};

// What arrives on stdin, read by a thread of its own so that its end is seen in the middle of an
// action.
class Inbox {
 public:
  explicit Inbox(std::stop_source stop) : stop_(std::move(stop)) {}

  // Of the reading thread.
  void read_all() {
    std::string buffer;
    std::array<char, 1u << 16> chunk{};
    for (;;) {
      const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      buffer.append(chunk.data(), static_cast<std::size_t>(got));
      take_lines(buffer);
      if (buffer.size() > kMaxWorkerLine) break;
    }
    finish();
  }

  // Stops what runs, and gives it the grace to end.
  void finish() {
    stop_.request_stop();
    std::unique_lock lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
    if (!changed_.wait_for(lock, kWorkerGrace, [&] { return is_idle_; })) ::_exit(kExitStopped);
  }

  // Of the main thread: the next batch's line, or nothing at the end.
  [[nodiscard]] std::optional<std::string> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_closed_ || !lines_.empty(); });
    if (is_closed_) {
      is_idle_ = true;
      changed_.notify_all();
      return std::nullopt;
    }
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }

 private:
  void take_lines(std::string& buffer) {
    for (std::size_t end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n')) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(buffer.substr(0, end));
      buffer.erase(0, end + 1);
      changed_.notify_all();
    }
  }

  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  bool is_closed_ = false;
  bool is_idle_ = false;
};

class Runner {
 public:
  Runner(const RuleSet& rules, std::stop_token stop, Outbox& outbox)
      : rules_(rules),
        stop_(std::move(stop)),
        outbox_(outbox),
        files_(make_posix_file_system()),
        clock_(make_system_clock()),
        processes_(make_process_runner()) {}

  void run(const Batch& batch) {
    const Seams seams{*files_, *clock_, *processes_};
    const EventSink sink = [this](const ExecutorEvent& event) { outbox_.send(event_line(event)); };
    if (batch.order == Batch::Order::kTogether) {
      if (!stop_.stop_requested()) run_together(batch.actions, rules_, seams, stop_, sink);
      return;
    }
    for (const ActionRequest& request : batch.actions) {
      if (stop_.stop_requested()) return;
      run_action(request, rules_, seams, stop_, sink);
    }
  }

 private:
  const RuleSet& rules_;
  std::stop_token stop_;
  Outbox& outbox_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<ProcessRunner> processes_;
};

// The pipe to the engine under another number; number 1 becomes stderr.
int move_stdout_away() {
  const int fd = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) throw_errno(errno, "keep the pipe to the engine");
  if (::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) throw_errno(errno, "redirect stdout");
  return fd;
}

}  // namespace

int run_worker(const RuleSet& rules) {
  ::signal(SIGPIPE, SIG_IGN);
  // A handler could do next to nothing; a thread that waits for the signal can do anything.
  sigset_t end_signals;
  sigemptyset(&end_signals);
  sigaddset(&end_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end_signals, nullptr);

  std::stop_source stop;
  Outbox outbox(move_stdout_away());
  Inbox inbox(stop);
  std::thread([&inbox] { inbox.read_all(); }).detach();
  std::thread([&inbox, end_signals] {
    int number = 0;
    while (sigwait(&end_signals, &number) != 0) {
    }
    inbox.finish();
  }).detach();

  outbox.send(hello_line());
  Runner runner(rules, stop.get_token(), outbox);
  int exit_code = 0;
  while (const std::optional<std::string> line = inbox.next()) {
    try {
      runner.run(parse_batch(*line));
    } catch (const Error& error) {
      fmt::print(stderr, "qbuild-worker: {}\n", error.message());
      exit_code = kExitProtocol;
      break;
    }
  }
  // The threads above may still look at what lives here, so it is not destroyed.
  std::fflush(stderr);
  ::_exit(exit_code);
}

}  // namespace qbuild::engine
