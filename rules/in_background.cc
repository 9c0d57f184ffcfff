#include "rules/in_background.h"

#include <utility>

namespace qbuild::rules {

InBackground::~InBackground() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void InBackground::run(std::function<void()> piece) {
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failure_ || pieces_.size() < kMostPieces; });
    throw_failure();
    pieces_.push_back(std::move(piece));
  }
  changed_.notify_all();
}

void InBackground::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return pieces_.empty(); });
  throw_failure();
}

void InBackground::throw_failure() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void InBackground::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return is_closing_ || !pieces_.empty(); });
    if (pieces_.empty()) return;
    std::exception_ptr failure;
    {
      const std::function<void()> piece = std::move(pieces_.front());
      lock.unlock();
      try {
        piece();
      } catch (...) {
        failure = std::current_exception();
      }
    }  // what it held is given back before it counts as ended
    lock.lock();
    pieces_.pop_front();
    if (failure) {
      failure_ = failure;
      pieces_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace qbuild::rules
