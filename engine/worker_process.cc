#include "engine/worker_process.h"

#include <fmt/core.h>
#include <signal.h>
#include <string.h>

#include <algorithm>

#include "base/error.h"
#include "base/shown.h"
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

// Of a batch whose first action has this limit.
std::chrono::milliseconds greeting_limit(std::chrono::milliseconds first) {
  return std::min(first, kGreetingLimit);
}

std::string text_of(std::chrono::milliseconds time) {
  return duration_text(static_cast<double>(time.count()) * 1e-3);
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
                             std::vector<ActionRequest> first, EventQueue& events)
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

bool WorkerProcess::try_assign(std::vector<ActionRequest>& batch) {
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
    if (assigned_)
      for (const ActionRequest& request : *assigned_) open_.push_back({request.id, {}});
    assigned_.reset();
  }
  for (const Open& action : open_) {
    events_.push(
        {action.id, ExecutorEvent::Failed{
                        Error(error.kind(), fmt::format("worker: {}", error.message())), 0}});
  }
  open_.clear();
}

std::optional<std::vector<ActionRequest>> WorkerProcess::next_batch() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return is_closing_ || assigned_; });
  return std::exchange(assigned_, std::nullopt);
}

void WorkerProcess::serve(ChildProcess& child, WorkerGuard& guard) {
  while (const std::optional<std::vector<ActionRequest>> batch = next_batch()) {
    for (const ActionRequest& request : *batch) open_.push_back({request.id, request.time_limit});
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

void WorkerProcess::run_batch(ChildProcess& child, WorkerGuard& guard,
                              const std::vector<ActionRequest>& batch) {
  if (!is_greeted_ && !greet(child, guard)) return;
  guard.watch(open_.front().limit);
  if (child.write(batch_line(batch))) read_events(child, guard);
}

bool WorkerProcess::greet(ChildProcess& child, WorkerGuard& guard) {
  guard.watch(greeting_limit(open_.front().limit));
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
    check_turn(event);
    const bool ends = std::holds_alternative<ExecutorEvent::Done>(event.what) ||
                      std::holds_alternative<ExecutorEvent::Failed>(event.what);
    if (ends) {
      end_first(std::move(event), guard);
      continue;
    }
    if (std::holds_alternative<ExecutorEvent::Started>(event.what)) {
      first_is_started_ = true;
      guard.watch(open_.front().limit);
    }
    events_.push(std::move(event));
  }
}

void WorkerProcess::check_turn(const ExecutorEvent& event) const {
  const auto is_it = [&](const Open& action) { return action.id == event.id; };
  if (std::none_of(open_.begin(), open_.end(), is_it)) {
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("it reported on an action that it was not given: \"{}\"", shown(event.id)));
  }
  const bool begins = std::holds_alternative<ExecutorEvent::Started>(event.what);
  if (!is_it(open_.front()) || begins == first_is_started_) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("it reported on an action out of turn: \"{}\"", shown(event.id)));
  }
}

void WorkerProcess::end_first(ExecutorEvent event, WorkerGuard& guard) {
  const bool was_told_to_end = !guard.release();
  if (was_told_to_end && std::holds_alternative<ExecutorEvent::Failed>(event.what) &&
      !is_cancelled()) {
    // What the worker began in spite of it is blameless.
    if (has_blamed_) {
      event.what = ExecutorEvent::NotRun{};
    } else {
      std::get<ExecutorEvent::Failed>(event.what).error = too_late(open_.front());
    }
  }
  has_blamed_ = was_told_to_end;
  first_is_started_ = false;
  open_.pop_front();
  if (!open_.empty()) guard.watch(open_.front().limit);
  if (open_.empty() && kind_ == Worker::kReused && !was_told_to_end) {
    // Before the engine hears of the end, so that what it starts next finds this worker free.
    const std::lock_guard lock(mutex_);
    has_worked_ = true;
    is_idle_ = true;
  }
  events_.push(std::move(event));
}

void WorkerProcess::give_up(const Error& error, const WorkerGuard& guard) {
  const bool is_late = guard.has_told_to_end() && !has_blamed_;
  const bool is_stopped = is_cancelled();
  // What was not begun is blameless, unless nothing ever was: then the worker is no worker.
  const bool one_is_to_blame = is_late || first_is_started_;
  for (std::size_t i = 0; i < open_.size(); ++i) {
    const std::string& id = open_[i].id;
    const bool is_blamed = i == 0 && one_is_to_blame;
    if (is_stopped) {
      events_.push({id, ExecutorEvent::Failed{Error(ErrorKind::kCancelled, "interrupted"), 0}});
    } else if (is_blamed) {
      events_.push({id, ExecutorEvent::Failed{is_late ? too_late(open_[i]) : error, 0}});
    } else if (one_is_to_blame || has_worked_ || guard.has_told_to_end()) {
      events_.push({id, ExecutorEvent::NotRun{}});
    } else {
      events_.push({id, ExecutorEvent::Failed{error, 0}});
    }
  }
  open_.clear();
}

bool WorkerProcess::is_cancelled() const {
  const std::lock_guard lock(mutex_);
  return is_cancelled_;
}

Error WorkerProcess::too_late(const Open& action) const {
  if (!is_greeted_)
    return {ErrorKind::kExhausted, fmt::format("the worker did not greet within {}",
                                               text_of(greeting_limit(action.limit)))};
  return {ErrorKind::kExhausted,
          fmt::format("did not end within {}{}", text_of(action.limit),
                      action.limit == kDefaultTimeLimit
                          ? ", which is the limit of whatever has no resources.time_limit"
                          : " (resources.time_limit)")};
}

Error WorkerProcess::await_death(ChildProcess& child, WorkerGuard& guard) {
  child.close_stdin();
  guard.kill_after(kCancelGrace);
  const ProcessExit exit = child.wait();
  if (!open_.empty() && first_is_started_)
    for (const Stray& stray : exit.strays)
      events_.push({open_.front().id, ExecutorEvent::Log{stray_text(stray)}});
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
