#pragma once
// The seam to time.

#include <cstdint>
#include <memory>
#include <string>

namespace qbuild {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::int64_t unix_ns() = 0;       // wall clock; may jump
  [[nodiscard]] virtual std::int64_t monotonic_ns() = 0;  // never goes back
};

[[nodiscard]] std::unique_ptr<Clock> make_system_clock();

// Starts at `unix_ns` and moves only when told.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::int64_t unix_ns) : now_ns_(unix_ns) {}
  [[nodiscard]] std::int64_t unix_ns() override { return now_ns_; }
  [[nodiscard]] std::int64_t monotonic_ns() override { return now_ns_; }
  void advance_ns(std::int64_t by_ns) { now_ns_ += by_ns; }

 private:
  std::int64_t now_ns_;
};

// "2026-11-25T15:04:05Z"
[[nodiscard]] std::string format_utc(std::int64_t unix_ns);

}  // namespace qbuild
