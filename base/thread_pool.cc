#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/check.h"

namespace qbuild {

struct ThreadPool::State {
  using Body = std::function<void(std::size_t, std::size_t)>;

  // What is shared below is guarded by `mutex`; a job's own fields are written before `job_id`
  // moves and read after it was seen to move.
  std::mutex mutex;
  std::condition_variable_any job_posted;
  std::condition_variable job_done;
  std::uint64_t job_id = 0;
  std::size_t unfinished = 0;
  bool busy = false;

  const Body* body = nullptr;
  std::size_t count = 0;
  std::size_t grain = 1;
  std::size_t ranges = 0;
  std::vector<std::exception_ptr> failures;  // by range

  unsigned thread_count = 1;
  std::vector<std::jthread> workers;  // last: joined before anything they use goes away

  [[nodiscard]] std::size_t border(std::size_t range) const {
    const std::size_t units = count / grain + (count % grain == 0 ? 0 : 1);
    // units / ranges rounded down for each, the first units % ranges get one more: no overflow.
    const std::size_t before = range * (units / ranges) + std::min(range, units % ranges);
    return before >= units ? count : before * grain;
  }

  void run_range(std::size_t range) {
    try {
      (*body)(border(range), border(range + 1));
    } catch (...) {
      failures[range] = std::current_exception();
    }
  }

  void work(const std::stop_token& stop, std::size_t range) {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex);
    while (job_posted.wait(lock, stop, [&] { return job_id != seen; })) {
      seen = job_id;
      if (range >= ranges) continue;
      lock.unlock();
      run_range(range);
      lock.lock();
      if (--unfinished == 0) job_done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(unsigned threads) : state_(std::make_unique<State>()) {
  check(threads >= 1, "a thread pool has at least the caller's thread");
  state_->thread_count = threads;
  state_->workers.reserve(threads - 1);
  for (unsigned range = 1; range < threads; ++range) {
    state_->workers.emplace_back(
        [state = state_.get(), range](const std::stop_token& stop) { state->work(stop, range); });
  }
}

ThreadPool::~ThreadPool() {
  // All are asked before the first is joined.
  for (std::jthread& worker : state_->workers) worker.request_stop();
}

unsigned ThreadPool::threads() const {
  return state_->thread_count;
}

void ThreadPool::parallel_for(std::size_t count, std::size_t grain,
                              const std::function<void(std::size_t begin, std::size_t end)>& body) {
  check(grain >= 1, "ranges are made of at least one element");
  if (count == 0) return;
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    check(!state.busy, "a thread pool runs one parallel_for at a time");
    state.busy = true;
    state.body = &body;
    state.count = count;
    state.grain = grain;
    const std::size_t units = count / grain + (count % grain == 0 ? 0 : 1);
    state.ranges = std::min<std::size_t>(state.thread_count, units);
    state.failures.assign(state.ranges, nullptr);
    state.unfinished = state.ranges - 1;
    ++state.job_id;
  }
  if (state.ranges > 1) state.job_posted.notify_all();
  state.run_range(0);
  std::vector<std::exception_ptr> failures;
  {
    std::unique_lock lock(state.mutex);
    state.job_done.wait(lock, [&] { return state.unfinished == 0; });
    state.busy = false;
    failures.swap(state.failures);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void ThreadPool::parallel_each(std::size_t count,
                               const std::function<void(std::size_t i, std::size_t thread)>& body) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::size_t first_failed = count;
  std::exception_ptr failure;
  // Elements are begun in order: whichever of them fails, all below it were begun before.
  parallel_for(std::min<std::size_t>(threads(), count), 1, [&](std::size_t thread, std::size_t) {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        body(i, thread);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < first_failed) {
          first_failed = i;
          failure = std::current_exception();
        }
        next = count;
      }
    }
  });
  if (failure) std::rethrow_exception(failure);
}

}  // namespace qbuild
