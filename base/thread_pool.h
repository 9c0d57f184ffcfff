#pragma once
// Threads that share the elements of a loop: in static partitions, so that which thread does what
// depends on the count alone, never on the schedule, and results cannot either; or one element
// after the other, as each thread gets to it, where no result depends on who did it.

#include <cstddef>
#include <functional>
#include <memory>

namespace qbuild {

class ThreadPool {
 public:
  // threads >= 1, the caller's included: ThreadPool(1) starts none and runs everything in the
  // caller.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] unsigned threads() const;

  // Splits [0, count) into at most threads() ranges whose borders are multiples of `grain` (the
  // last one excepted), runs body(begin, end) for each, and returns when all are done. The first
  // exception, by range order, is rethrown. One call at a time per pool.
  void parallel_for(std::size_t count, std::size_t grain,
                    const std::function<void(std::size_t begin, std::size_t end)>& body);

  // Runs body(i, thread) for each i below count, in turn on whichever thread is free: one that is
  // held up takes fewer. `thread` is below threads(), and no two bodies have the same at once. The
  // exception of the lowest element that failed is rethrown, whatever the schedule; later elements
  // may not have been begun then. One call at a time per pool.
  void parallel_each(std::size_t count,
                     const std::function<void(std::size_t i, std::size_t thread)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qbuild
