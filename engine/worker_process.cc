#include "engine/worker_process.h"

#include <fmt/core.h>
#include <signal.h>
#include <string.h>

#include <algorithm>

#include "base/error.h"
#include "engine/fence.h"
#include "engine/progress_lines.h"
#include "engine/worker_protocol.h"

namespace qbuild::engine {
namespace {

// Of the worker's stderr, to be quoted when it died.
constexpr std::uint64_t kLastWordsBytes = 2048;

std::string signal_name(int number) {
  const char* const abbreviation = ::sigabbrev_np(number);
  return abbreviation != nullptr ? fmt::format("SIG{}", abbreviation)
                                 : fmt::format("signal {}", number);
}

}  // namespace

void ChildHandle::signal(int number) {
  const std::lock_guard lock(mutex_);
  if (child_ != nullptr) {
    child_->signal_group(number);
  } else {
    pending_ = number;
  }
}

void ChildHandle::set(ChildProcess* child) {
  const std::lock_guard lock(mutex_);
  child_ = child;
  if (child_ != nullptr && pending_) child_->signal_group(*pending_);
}

WorkerProcess::WorkerProcess(const WorkerSetting& setting, unsigned number, Worker kind,
                             Batch first, EventQueue& events)
    : setting_(setting),
      log_(setting.project.worker_log(number)),
      kind_(kind),
      events_(events),
      assigned_(std::move(first)) {
  thread_ = std::thread([this] { run(); });
}

WorkerProcess::~WorkerProcess() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool WorkerProcess::try_assign(Batch& batch) {
  {
    const std::lock_guard lock(mutex_);
    const bool is_free = kind_ == Worker::kReused && is_idle_ && !is_cancelled_ && !assigned_;
    if (!is_free) return false;
    assigned_ = std::move(batch);
    is_idle_ = false;
  }
  changed_.notify_all();
  return true;
}

bool WorkerProcess::has_ended() const {
  const std::lock_guard lock(mutex_);
  return has_ended_;
}

void WorkerProcess::cancel() {
  {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
  }
  handle_->signal(SIGTERM);
}

void WorkerProcess::run() {
  std::unique_ptr<ChildProcess> child;
  const std::optional<Error> error = run_fenced(
      [&] {
        setting_.files.create_directories(log_.parent_path());
        const std::optional<FileStat> log = setting_.files.stat(log_);
        if (log && log->size_bytes > kMaxWorkerLogBytes)
          setting_.files.remove(log_);
        else if (log)
          log_begin_ = log->size_bytes;
        // Not end_with_parent: a worker notices the end of its stdin, ends what it started and
        // tidies up. Of what one leaves that had no time to, this process is told.
        child = setting_.processes.start({.argv = setting_.spec.argv,
                                          .environment = setting_.spec.environment,
                                          .working_directory = {},
                                          .output_log = log_,
                                          .pipe_stdin = true,
                                          .pipe_stdout = true,
                                          .end_strays = true});
        handle_->set(child.get());
        WorkerGuard guard(*child, setting_.files, log_);
        serve(*child, guard);
      },
      [] { return false; });
  if (error) fail_all(*error);
  handle_->set(nullptr);
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  is_idle_ = false;
}

void WorkerProcess::fail_all(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (assigned_) open_.add(*assigned_);
    assigned_.reset();
  }
  for (ExecutorEvent& event : open_.fail_all(error)) events_.push(std::move(event));
}

std::optional<Batch> WorkerProcess::next_batch() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return is_closing_ || assigned_; });
  return std::exchange(assigned_, std::nullopt);
}

void WorkerProcess::serve(ChildProcess& child, WorkerGuard& guard) {
  while (const std::optional<Batch> batch = next_batch()) {
    open_.add(*batch);
    const std::optional<Error> broken =
        run_fenced([&] { run_batch(child, guard, *batch); }, [] { return false; });
    if (broken) {
      child.signal_group(SIGKILL);
      give_up(Error(broken->kind(), fmt::format("the worker was stopped: {}", broken->message())),
              guard);
      break;
    }
    // The end of the stream before the end of the batch: it died.
    if (!open_.empty()) {
      give_up(await_death(child, guard), guard);
      return;
    }
    if (kind_ == Worker::kFresh || guard.has_told_to_end()) break;
  }
  static_cast<void>(await_death(child, guard));
}

void WorkerProcess::run_batch(ChildProcess& child, WorkerGuard& guard, const Batch& batch) {
  if (!is_greeted_ && !greet(child, guard)) return;
  batch_begin_ = std::chrono::steady_clock::now();
  watch(guard);
  if (child.write(batch_line(batch))) read_events(child, guard);
}

bool WorkerProcess::greet(ChildProcess& child, WorkerGuard& guard) {
  guard.watch(open_.greeting_limit());
  const std::optional<std::string> hello = child.read_line(kMaxWorkerLine);
  if (!hello) return false;
  check_hello(*hello);
  is_greeted_ = true;
  return true;
}

void WorkerProcess::read_events(ChildProcess& child, WorkerGuard& guard) {
  while (!open_.empty()) {
    const std::optional<std::string> line = child.read_line(kMaxWorkerLine);
    if (!line) return;
    ExecutorEvent event = parse_event(*line);
    open_.check_turn(event);
    const bool ends = std::holds_alternative<ExecutorEvent::Done>(event.what) ||
                      std::holds_alternative<ExecutorEvent::Failed>(event.what);
    if (ends) {
      end_one(std::move(event), guard);
      continue;
    }
    if (std::holds_alternative<ExecutorEvent::Started>(event.what)) {
      open_.start(event.id);
      watch(guard);
    }
    events_.push(std::move(event));
  }
}

void WorkerProcess::watch(WorkerGuard& guard) {
  guard.watch(open_.until_late(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - batch_begin_)));
}

void WorkerProcess::end_one(ExecutorEvent event, WorkerGuard& guard) {
  const bool was_told_to_end = !guard.release();
  if (was_told_to_end && !is_cancelled()) {
    event = open_.end_late(std::move(event));
  } else {
    open_.end(event.id);
  }
  if (!open_.empty() && !was_told_to_end) watch(guard);
  if (open_.empty() && kind_ == Worker::kReused && !was_told_to_end) {
    // Before the engine hears of the end, so that what it starts next finds this worker free.
    const std::lock_guard lock(mutex_);
    has_worked_ = true;
    is_idle_ = true;
  }
  events_.push(std::move(event));
}

void WorkerProcess::give_up(const Error& error, const WorkerGuard& guard) {
  const Breakdown breakdown{.error = error,
                            .was_told_to_end = guard.has_told_to_end(),
                            .is_cancelled = is_cancelled(),
                            .is_greeted = is_greeted_,
                            .has_worked = has_worked_};
  for (ExecutorEvent& event : open_.give_up(breakdown)) events_.push(std::move(event));
}

bool WorkerProcess::is_cancelled() const {
  const std::lock_guard lock(mutex_);
  return is_cancelled_;
}

Error WorkerProcess::await_death(ChildProcess& child, WorkerGuard& guard) {
  child.close_stdin();
  guard.kill_after(kCancelGrace);
  const ProcessExit exit = child.wait();
  // Of actions that run together nobody knows whose it was.
  for (const std::string& id : open_.started())
    for (const Stray& stray : exit.strays)
      events_.push({id, ExecutorEvent::Log{stray_text(stray)}});
  if (guard.has_killed())
    return {ErrorKind::kInternal,
            "the worker closed its output in the middle of its work and had to be killed"};
  return describe_death(exit);
}

Error WorkerProcess::describe_death(const ProcessExit& exit) const {
  const std::string said = last_words();
  const std::string quote = said.empty() ? "" : fmt::format("; it said: {}", said);
  if (exit.signal == SIGKILL) {
    return {ErrorKind::kExhausted,
            fmt::format("the worker was killed (SIGKILL) at a peak of {}: most likely the "
                        "machine ran out of memory; try a smaller -j{}",
                        bytes_text(static_cast<double>(exit.peak_memory_bytes)), quote)};
  }
  if (exit.signal != 0) {
    return {ErrorKind::kInternal,
            fmt::format("the worker crashed ({}){}", signal_name(exit.signal), quote)};
  }
  return {ErrorKind::kInternal,
          fmt::format("the worker ended with exit code {} in the middle of its work{}",
                      exit.exit_code, quote)};
}

std::string WorkerProcess::last_words() const {
  try {
    const std::unique_ptr<ReadableFile> file = setting_.files.open(log_);
    const std::uint64_t size = file->stat().size_bytes;
    const std::uint64_t own_begin = log_begin_ <= size ? log_begin_ : 0;  // it was cut meanwhile
    const std::uint64_t begin =
        std::max(own_begin, size > kLastWordsBytes ? size - kLastWordsBytes : 0);
    if (begin >= size) return "";
    std::string text(static_cast<std::size_t>(size - begin), '\0');
    text.resize(file->read_at(begin, std::as_writable_bytes(std::span(text))));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  } catch (const Error&) {
    return "";
  }
}

}  // namespace qbuild::engine
