#pragma once
// Elementwise functions over lanes. A tail shorter than sixteen goes through a padded copy, so each
// value takes the same operations wherever it stands.

#include <cstddef>

#include "kernels/math_exp_lanes.h"

namespace qbuild::kernels {

template <class L>
typename L::F load_tail(const float* from, std::size_t count, float padding) {
  float buffer[16];
  for (std::size_t i = 0; i < 16; ++i) buffer[i] = i < count ? from[i] : padding;
  return L::load(buffer);
}

template <class L>
void store_tail(float* to, std::size_t count, typename L::F value) {
  float buffer[16];
  L::store(buffer, value);
  for (std::size_t i = 0; i < count; ++i) to[i] = buffer[i];
}

// x[i] = op(x[i], y[i]); y may be x.
template <class L, class Op>
void for_lanes(const float* y, float* x, std::size_t count, Op op) {
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) L::store(x + i, op(L::load(x + i), L::load(y + i)));
  if (i < count) {
    const std::size_t rest = count - i;
    store_tail<L>(x + i, rest, op(load_tail<L>(x + i, rest, 0), load_tail<L>(y + i, rest, 0)));
  }
}

template <class L>
struct ActivationKernels {
  using F = typename L::F;

  static void exponential(float* x, std::size_t count) {
    for_lanes<L>(x, x, count, [](F a, F) { return exp_lanes<L>(a); });
  }
  static void silu_multiply(const float* up, float* gate, std::size_t count) {
    for_lanes<L>(up, gate, count, [](F g, F u) {
      const F e = exp_lanes<L>(L::sub(L::set(0), g));
      return L::mul(L::div(g, L::add(L::set(1), e)), u);
    });
  }
  static void add(const float* y, float* x, std::size_t count) {
    for_lanes<L>(y, x, count, [](F a, F b) { return L::add(a, b); });
  }
  static void round_f16(float* x, std::size_t count) {
    for_lanes<L>(x, x, count, [](F a, F) { return L::round_f16(a); });
  }
  static void round_bf16(float* x, std::size_t count) {
    for_lanes<L>(x, x, count, [](F a, F) { return L::round_bf16(a); });
  }
  static void add_scaled(const float* x, float factor, float* to, std::size_t count) {
    const F f = L::set(factor);
    for_lanes<L>(x, to, count, [f](F a, F b) { return L::fma(f, b, a); });
  }
  static float dot_f32(const float* a, const float* b, std::size_t count) {
    F sums[4] = {L::set(0), L::set(0), L::set(0), L::set(0)};
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64) {
      for (std::size_t j = 0; j < 4; ++j) {
        sums[j] = L::fma(L::load(a + i + 16 * j), L::load(b + i + 16 * j), sums[j]);
      }
    }
    for (; i + 16 <= count; i += 16) sums[0] = L::fma(L::load(a + i), L::load(b + i), sums[0]);
    if (i < count) {
      const std::size_t rest = count - i;
      sums[1] = L::fma(load_tail<L>(a + i, rest, 0), load_tail<L>(b + i, rest, 0), sums[1]);
    }
    return L::fold_add(L::add(L::add(sums[0], sums[1]), L::add(sums[2], sums[3])));
  }
};

}  // namespace qbuild::kernels
