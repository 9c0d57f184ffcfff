#include "engine/worker_process.h"

#include <fmt/core.h>
#include <signal.h>
#include <string.h>

#include <algorithm>

#include "base/error.h"
#include "engine/progress_lines.h"
#include "engine/worker_protocol.h"

namespace qbuild::engine {
namespace {

// Of the worker's stderr, to be quoted when it died.
constexpr std::uint64_t kLastWordsBytes = 2048;
// A worker's log from earlier runs is begun anew beyond this.
constexpr std::uint64_t kMaxWorkerLogBytes = 4u << 20;

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
  try {
    setting_.files.create_directories(log_.parent_path());
    const std::optional<FileStat> log = setting_.files.stat(log_);
    if (log && log->size_bytes > kMaxWorkerLogBytes) setting_.files.remove(log_);
    log_begin_ = log && log->size_bytes <= kMaxWorkerLogBytes ? log->size_bytes : 0;
    // Not end_with_parent: a worker notices the end of its stdin, ends what it started and tidies
    // up.
    child = setting_.processes.start({.argv = setting_.spec.argv,
                                      .environment = setting_.spec.environment,
                                      .working_directory = {},
                                      .output_log = log_,
                                      .pipe_stdin = true,
                                      .pipe_stdout = true});
    handle_->set(child.get());
    serve(*child);
  } catch (const Error& error) {
    const std::lock_guard lock(mutex_);
    if (assigned_) {
      for (const ActionRequest& request : *assigned_) open_.push_back(request.id);
    }
    assigned_.reset();
    started_ = open_.empty() ? "" : open_.front();
    // A worker that cannot even be started would not start for the others either.
    for (const std::string& id : open_) {
      events_.push({id, ExecutorEvent::Failed{
                            Error(error.kind(), fmt::format("worker: {}", error.message())), 0}});
    }
    open_.clear();
  }
  handle_->set(nullptr);
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  is_idle_ = false;
}

void WorkerProcess::serve(ChildProcess& child) {
  bool is_greeted = false;
  for (;;) {
    std::vector<ActionRequest> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return is_closing_ || assigned_; });
      if (!assigned_) break;
      batch = *std::exchange(assigned_, std::nullopt);
    }
    for (const ActionRequest& request : batch) open_.push_back(request.id);
    try {
      if (!is_greeted) {
        const std::optional<std::string> hello = child.read_line(kMaxWorkerLine);
        if (hello) check_hello(*hello);
        is_greeted = hello.has_value();
      }
      if (is_greeted && child.write(batch_line(batch))) read_events(child);
      // The end of the stream before the end of the batch: it died.
      if (!open_.empty()) {
        child.close_stdin();
        give_up(describe_death(child.wait()));
        return;
      }
    } catch (const Error& error) {
      child.signal_group(SIGKILL);
      give_up(Error(error.kind(), fmt::format("the worker was stopped: {}", error.message())));
      break;
    }
    if (kind_ == Worker::kFresh) break;
  }
  child.close_stdin();
  static_cast<void>(child.wait());
}

void WorkerProcess::read_events(ChildProcess& child) {
  while (!open_.empty()) {
    const std::optional<std::string> line = child.read_line(kMaxWorkerLine);
    if (!line) return;
    ExecutorEvent event = parse_event(*line);
    const auto place = std::find(open_.begin(), open_.end(), event.id);
    if (place == open_.end()) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("it reported on an action that it was not given: \"{}\"", event.id));
    }
    if (std::holds_alternative<ExecutorEvent::Started>(event.what)) started_ = event.id;
    const bool ends = std::holds_alternative<ExecutorEvent::Done>(event.what) ||
                      std::holds_alternative<ExecutorEvent::Failed>(event.what);
    if (ends) open_.erase(place);
    if (open_.empty() && kind_ == Worker::kReused) {
      // Before the engine hears of the end, so that what it starts next finds this worker free.
      const std::lock_guard lock(mutex_);
      has_worked_ = true;
      is_idle_ = true;
    }
    events_.push(std::move(event));
  }
}

void WorkerProcess::give_up(const Error& error) {
  bool is_cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    is_cancelled = is_cancelled_;
  }
  // What was not begun is blameless, unless nothing ever was: then the worker is no worker.
  const bool one_was_running = std::find(open_.begin(), open_.end(), started_) != open_.end();
  for (const std::string& id : open_) {
    if (is_cancelled) {
      events_.push({id, ExecutorEvent::Failed{Error(ErrorKind::kCancelled, "interrupted"), 0}});
    } else if ((one_was_running || has_worked_) && id != started_) {
      events_.push({id, ExecutorEvent::NotRun{}});
    } else {
      events_.push({id, ExecutorEvent::Failed{error, 0}});
    }
  }
  open_.clear();
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
    const std::uint64_t begin =
        std::max(log_begin_, size > kLastWordsBytes ? size - kLastWordsBytes : 0);
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
