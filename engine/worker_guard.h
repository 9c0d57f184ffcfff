#pragma once
// Looks after a worker process while the thread that talks to it waits for its answer: ends one
// that takes too long, and keeps the log of its stderr small. All that a reader or writer of its
// pipes waits for ends with the process, so nothing else needs a deadline.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/file_system.h"
#include "base/subprocess.h"

namespace qbuild::engine {

// A log that grows over it begins anew, and says so.
inline constexpr std::uint64_t kMaxWorkerLogBytes = 4u << 20;

class WorkerGuard {
 public:
  // It looks so often: between two looks the log grows as it likes, and what was asked for
  // meanwhile is late by as much.
  static constexpr std::chrono::milliseconds kInterval{100};

  // Both references must outlive this; the child may have been waited for.
  WorkerGuard(ChildProcess& child, FileSystem& files, fs::path log);
  ~WorkerGuard() = default;
  WorkerGuard(const WorkerGuard&) = delete;
  WorkerGuard& operator=(const WorkerGuard&) = delete;

  // Unless it is released or watched anew within `limit`, the child is told to end (SIGTERM to its
  // group), and killed after kCancelGrace. Once it was told, that stands.
  void watch(std::chrono::milliseconds limit);
  // False: too late, it was told to end.
  [[nodiscard]] bool release();
  [[nodiscard]] bool has_told_to_end() const;
  // Kills it (SIGKILL) then if it has not ended.
  void kill_after(std::chrono::milliseconds limit);
  [[nodiscard]] bool has_killed() const;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  void look_after(const std::stop_token& stop);
  void act(TimePoint now);
  void keep_log_small();

  ChildProcess& child_;
  FileSystem& files_;
  const fs::path log_;
  mutable std::mutex mutex_;
  std::condition_variable_any never_;
  std::optional<TimePoint> tell_at_;
  std::optional<TimePoint> kill_at_;
  bool has_told_ = false;
  bool has_killed_ = false;
  std::jthread thread_;  // last: it uses all of the above until it is joined
};

}  // namespace qbuild::engine
