// The clock and the meter of the worker that measures the same whenever it is asked: linked in
// place of the real ones (--wrap in CMakeLists.txt), so that tests can compare what was measured
// byte for byte.

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/machine.h"

namespace qbuild::e2e {
namespace {

constexpr std::int64_t kStepNs = 1'000'000;
constexpr std::uint64_t kResidentBytes = 100'000'000;

// Each look at it takes a millisecond.
class SteppingClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() override { return 1'700'000'000'000'000'000; }
  [[nodiscard]] std::int64_t monotonic_ns() override { return now_ns_ += kStepNs; }

 private:
  std::atomic<std::int64_t> now_ns_ = 0;
};

}  // namespace

// The names that the linker gives to calls of make_system_clock() and resident_bytes().
std::unique_ptr<Clock> metered_clock() __asm__("__wrap__ZN6qbuild17make_system_clockEv");
std::unique_ptr<Clock> metered_clock() {
  return std::make_unique<SteppingClock>();
}

std::uint64_t metered_resident_bytes() __asm__("__wrap__ZN6qbuild14resident_bytesEv");
std::uint64_t metered_resident_bytes() {
  return kResidentBytes;
}

}  // namespace qbuild::e2e
