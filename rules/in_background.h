#pragma once
// One piece of work beside the caller's own: what a producer made is written and hashed while it
// makes the next.
//
//   InBackground writing;
//   while (...) { make(piece); writing.run([&] { write(piece); }); }  // two pieces in turn
//   writing.finish();
//
// Pieces are worked on one after another, in the order of the calls. One thread calls.

#include <functional>
#include <future>
#include <utility>

namespace qbuild::rules {

class InBackground {
 public:
  InBackground() = default;
  // Waits for the work; what it throws then is lost, as somebody else's exception is under way.
  ~InBackground() = default;
  InBackground(const InBackground&) = delete;
  InBackground& operator=(const InBackground&) = delete;

  // Waits for the work before, throws what that threw, and starts this one.
  void run(std::function<void()> work) {
    finish();
    running_ = std::async(std::launch::async, std::move(work));
  }

  // Waits for the last work and throws what it threw.
  void finish() {
    if (running_.valid()) running_.get();
  }

 private:
  std::future<void> running_;  // of std::async: its destructor waits
};

}  // namespace qbuild::rules
