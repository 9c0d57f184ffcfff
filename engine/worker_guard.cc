#include "engine/worker_guard.h"

#include <signal.h>

#include <algorithm>

#include "base/error.h"
#include "engine/grace.h"

namespace qbuild::engine {

WorkerGuard::WorkerGuard(ChildProcess& child, FileSystem& files, fs::path log)
    : child_(child),
      files_(files),
      log_(std::move(log)),
      thread_([this](const auto& stop) { look_after(stop); }) {}

void WorkerGuard::watch(std::chrono::milliseconds limit) {
  const std::lock_guard lock(mutex_);
  if (!has_told_) tell_at_ = std::chrono::steady_clock::now() + limit;
}

bool WorkerGuard::release() {
  const std::lock_guard lock(mutex_);
  tell_at_.reset();
  return !has_told_;
}

bool WorkerGuard::has_told_to_end() const {
  const std::lock_guard lock(mutex_);
  return has_told_;
}

void WorkerGuard::kill_after(std::chrono::milliseconds limit) {
  const std::lock_guard lock(mutex_);
  const TimePoint then = std::chrono::steady_clock::now() + limit;
  kill_at_ = std::min(then, kill_at_.value_or(then));
}

bool WorkerGuard::has_killed() const {
  const std::lock_guard lock(mutex_);
  return has_killed_;
}

void WorkerGuard::look_after(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const TimePoint now = std::chrono::steady_clock::now();
    act(now);
    TimePoint next = now + kInterval;
    for (const auto& due : {tell_at_, kill_at_})
      if (due) next = std::min(next, *due);
    lock.unlock();
    keep_log_small();
    lock.lock();
    (void)never_.wait_until(lock, stop, next, [] { return false; });
  }
}

void WorkerGuard::act(TimePoint now) {
  if (tell_at_ && now >= *tell_at_) {
    tell_at_.reset();
    has_told_ = true;
    kill_at_ = std::min(now + kCancelGrace, kill_at_.value_or(TimePoint::max()));
    child_.signal_group(SIGTERM);
  }
  if (kill_at_ && now >= *kill_at_) {
    kill_at_.reset();
    has_killed_ = true;
    child_.signal_group(SIGKILL);
  }
}

void WorkerGuard::keep_log_small() {
  try {
    const std::optional<FileStat> log = files_.stat(log_);
    if (!log || log->size_bytes <= kMaxWorkerLogBytes) return;
    // The worker appends, so it goes on from here.
    files_.create(log_, CreateMode::kTruncate)->close();
    files_.create(log_, CreateMode::kAppend)
        ->append(as_bytes("[cut: this log reached its largest size]\n"));
  } catch (const Error&) {
    // A disk that does not take it is said where something is lost by it.
  }
}

}  // namespace qbuild::engine
