#pragma once
// Rounding scales to binary16, with the two ends of its range in mind. L only keeps apart the
// copies that are compiled for different instruction sets.

#include <cstdint>

#include "base/half.h"

namespace qbuild::kernels {

template <class L>
struct ScaleKernels {
  using F = typename L::F;
  static constexpr float kLargest = 65504;  // of binary16
  static constexpr float kSmallestNormal = 0x1p-14F;
  static constexpr float kStep = 0x1p-24F;  // between its denormals

  // The nearest binary16 value, as a float; below `outward_below`, which is a denormal or the
  // smallest normal number, the next one away from zero: there a scale that is rounded down may be
  // short of the block's largest value, by half at the worst. 0 gives +0.
  [[gnu::always_inline]] static F round(F scale, float outward_below = kSmallestNormal) {
    const F zero = L::set(0);
    const F nearest = L::round_f16(scale);
    const F step = L::select_less(scale, zero, L::set(-kStep), L::set(kStep));
    const F outward =
        L::select_less(L::abs(nearest), L::abs(scale), L::add(nearest, step), nearest);
    const F chosen = L::select_less(L::abs(scale), L::set(outward_below), outward, nearest);
    return L::add(chosen, zero);
  }
  // Held within the range.
  static F hold(F a) { return L::min(L::max(a, L::set(-kLargest)), L::set(kLargest)); }
  static F round_held(F scale) { return round(hold(scale)); }
  // The same for one number.
  [[gnu::always_inline]] static float round_one(float scale) {
    const float held = scale > kLargest ? kLargest : scale < -kLargest ? -kLargest : scale;
    float lanes[16];
    L::store(lanes, round(L::set(held)));
    return lanes[0];
  }
  // 1/scale; 0 for 0, so that every value gets the code of zero.
  static F inverse(F scale) {
    const F zero = L::set(0);
    const F safe = L::select_less(zero, L::abs(scale), scale, L::set(1));
    return L::select_less(zero, L::abs(scale), L::div(L::set(1), safe), zero);
  }
  static void store_bits(std::uint8_t* to, float value) {
    std::uint8_t bits[32];
    L::store_f16(bits, L::set(value));
    __builtin_memcpy(to, bits, 2);
  }
};

}  // namespace qbuild::kernels
