#include "engine/retry.h"

#include <algorithm>

namespace qbuild::engine {
namespace {

constexpr std::int64_t kFirstWaitNs = 500'000'000;
constexpr std::int64_t kLongestWaitNs = 30'000'000'000;
constexpr int kMostDoublings = 10;

// One step of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
// 2014).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

std::optional<std::int64_t> retry_delay_ns(const Attempt& attempt) {
  if (attempt.error != ErrorKind::kTransient) return std::nullopt;
  if (attempt.number >= attempt.max_attempts) return std::nullopt;
  const int doublings = std::clamp(attempt.number - 1, 0, kMostDoublings);
  const std::int64_t full = std::min(kFirstWaitNs << doublings, kLongestWaitNs);
  const std::uint64_t seed =
      static_cast<std::uint64_t>(attempt.now_ns) + static_cast<std::uint64_t>(attempt.number);
  return full - static_cast<std::int64_t>(mix(seed) % static_cast<std::uint64_t>(full / 4));
}

}  // namespace qbuild::engine
