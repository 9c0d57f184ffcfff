#pragma once
// Threads with static partitions: which worker does what depends on the count alone, never on the
// schedule, so results cannot either.

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

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qbuild
