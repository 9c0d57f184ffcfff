#include "base/clock.h"

#include <fmt/core.h>

#include <ctime>

namespace qbuild {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::int64_t read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kNsPerSecond + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() override { return read_clock(CLOCK_REALTIME); }
  [[nodiscard]] std::int64_t monotonic_ns() override { return read_clock(CLOCK_MONOTONIC); }
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() {
  return std::make_unique<SystemClock>();
}

std::string format_utc(std::int64_t unix_ns) {
  std::int64_t seconds = unix_ns / kNsPerSecond;
  if (unix_ns % kNsPerSecond < 0) --seconds;  // towards the past, also before 1970
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace qbuild
