#include "engine/executor.h"

namespace qbuild::engine {

namespace {

// What of an event can come without end, in memory; 0: the others.
std::size_t bytes_of(const ExecutorEvent& event) {
  if (const auto* log = std::get_if<ExecutorEvent::Log>(&event.what))
    return sizeof event + event.id.size() + log->line.size();
  if (const auto* progress = std::get_if<ExecutorEvent::Progress>(&event.what))
    return sizeof event + event.id.size() + progress->unit.size();
  return 0;
}

}  // namespace

void EventQueue::push(ExecutorEvent event) {
  const std::size_t bytes = bytes_of(event);
  {
    std::unique_lock lock(mutex_);
    if (bytes > 0)
      has_room_.wait(lock, [&] { return is_closed_ || waiting_bytes_ < kMaxWaitingBytes; });
    if (is_closed_) return;
    waiting_bytes_ += bytes;
    events_.push_back(std::move(event));
  }
  changed_.notify_one();
}

void EventQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  has_room_.notify_all();
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
  waiting_bytes_ = 0;
  has_room_.notify_all();
  return taken;
}

}  // namespace qbuild::engine
