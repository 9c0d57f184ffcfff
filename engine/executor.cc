#include "engine/executor.h"

namespace qbuild::engine {

void EventQueue::push(ExecutorEvent event) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  changed_.notify_one();
}

void EventQueue::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

std::vector<ExecutorEvent> EventQueue::take(std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return woken_ || !events_.empty(); });
  woken_ = false;
  std::vector<ExecutorEvent> taken(std::make_move_iterator(events_.begin()),
                                   std::make_move_iterator(events_.end()));
  events_.clear();
  return taken;
}

}  // namespace qbuild::engine
