#pragma once
// Work beside the caller's own, on one thread: what a producer made is written and hashed while it
// makes the next.
//
//   InBackground writing;
//   while (...) { make(piece); writing.run([&] { write(piece); }); }
//   writing.finish();
//
// Pieces are worked on one after another, in the order of the calls. One thread calls.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace qbuild::rules {

class InBackground {
 public:
  // Pieces that have not ended, the one that is worked on included: each keeps its buffers.
  static constexpr std::size_t kMostPieces = 3;

  InBackground() = default;
  // Waits for all: what was handed over is done. What one throws is lost, as somebody else's
  // exception is under way.
  ~InBackground();
  InBackground(const InBackground&) = delete;
  InBackground& operator=(const InBackground&) = delete;

  // Starts this piece once those before have ended; waits while there are too many. Throws what one
  // before it threw: that one's followers, and this, are not begun then.
  void run(std::function<void()> piece);

  // Waits for all and throws what the first that failed threw. After that it can be used again.
  void finish();

 private:
  void work();
  void throw_failure();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> pieces_;  // the first, then empty, is worked on
  std::exception_ptr failure_;                // pieces_ is empty then
  bool is_closing_ = false;
  std::thread thread_;  // from the first piece on
};

}  // namespace qbuild::rules
