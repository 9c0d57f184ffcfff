#pragma once
// SplitMix64: the same numbers for a seed on every machine. Source: Steele, Lea, Flood, "Fast
// splittable pseudorandom number generators", 2014.

#include <cstdint>

namespace qbuild::models {

class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  // In [0, 1), from the upper 53 bits.
  [[nodiscard]] double next_unit() { return static_cast<double>(next() >> 11U) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace qbuild::models
