#pragma once
// RMS norm, rotation and softmax over lanes; what they compute stands in kernels/norm.h, rope.h,
// softmax.h.

#include <cstddef>

#include "kernels/activation_lanes.h"
#include "kernels/math_exp_lanes.h"

namespace qbuild::kernels {

template <class L>
struct RowKernels {
  using F = typename L::F;

  static void rms_norm(const float* x, const float* weight, std::size_t count, float epsilon,
                       float* out) {
    F squares = L::set(0);
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) {
      const F a = L::load(x + i);
      squares = L::fma(a, a, squares);
    }
    if (i < count) {
      const F a = load_tail<L>(x + i, count - i, 0);
      squares = L::fma(a, a, squares);
    }
    const float mean = L::fold_add(squares) / static_cast<float>(count);
    const F scale = L::set(1.0F / __builtin_sqrtf(mean + epsilon));
    for (i = 0; i + 16 <= count; i += 16) {
      L::store(out + i, L::mul(L::mul(L::load(x + i), scale), L::load(weight + i)));
    }
    if (i < count) {
      const std::size_t rest = count - i;
      store_tail<L>(
          out + i, rest,
          L::mul(L::mul(load_tail<L>(x + i, rest, 0), scale), load_tail<L>(weight + i, rest, 0)));
    }
  }

  static void rotate(const float* cos, const float* sin, std::size_t pairs, float* low,
                     float* high) {
    const auto turn = [](F x0, F x1, F c, F s, F* y0, F* y1) {
      *y0 = L::fma(x0, c, L::sub(L::set(0), L::mul(x1, s)));
      *y1 = L::fma(x0, s, L::mul(x1, c));
    };
    F y0;
    F y1;
    std::size_t i = 0;
    for (; i + 16 <= pairs; i += 16) {
      turn(L::load(low + i), L::load(high + i), L::load(cos + i), L::load(sin + i), &y0, &y1);
      L::store(low + i, y0);
      L::store(high + i, y1);
    }
    if (i < pairs) {
      const std::size_t rest = pairs - i;
      turn(load_tail<L>(low + i, rest, 0), load_tail<L>(high + i, rest, 0),
           load_tail<L>(cos + i, rest, 0), load_tail<L>(sin + i, rest, 0), &y0, &y1);
      store_tail<L>(low + i, rest, y0);
      store_tail<L>(high + i, rest, y1);
    }
  }

  static void softmax(float* x, std::size_t count) {
    const float infinity = __builtin_inff();
    F most = L::set(-infinity);
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) most = L::max(L::load(x + i), most);
    if (i < count) most = L::max(load_tail<L>(x + i, count - i, -infinity), most);
    const F max = L::set(L::fold_max(most));
    F sum = L::set(0);
    for (i = 0; i + 16 <= count; i += 16) {
      const F e = exp_lanes<L>(L::sub(L::load(x + i), max));
      L::store(x + i, e);
      sum = L::add(sum, e);
    }
    if (i < count) {
      const std::size_t rest = count - i;
      const F e = exp_lanes<L>(L::sub(load_tail<L>(x + i, rest, -infinity), max));
      store_tail<L>(x + i, rest, e);
      sum = L::add(sum, e);
    }
    const F inverse = L::set(1.0F / L::fold_add(sum));
    for_lanes<L>(x, x, count, [inverse](F a, F) { return L::mul(a, inverse); });
  }

  static void softmax_lanes(float* rows, std::size_t count, float factor, const float* limit) {
    const F end = L::load(limit);
    const F scale = L::set(factor);
    const F nothing = L::set(-__builtin_inff());
    F max = nothing;
    for (std::size_t j = 0; j < count; ++j) {
      const F index = L::set(static_cast<float>(j));
      const F score = L::select_less(index, end, L::mul(L::load(rows + 16 * j), scale), nothing);
      L::store(rows + 16 * j, score);
      max = L::max(score, max);
    }
    F sums[16];
    for (F& sum : sums) sum = L::set(0);
    for (std::size_t j = 0; j < count; ++j) {
      const F e = exp_lanes<L>(L::sub(L::load(rows + 16 * j), max));
      L::store(rows + 16 * j, e);
      sums[j % 16] = L::add(sums[j % 16], e);
    }
    for (int width = 8; width > 0; width /= 2) {
      for (int l = 0; l < width; ++l) sums[l] = L::add(sums[l], sums[l + width]);
    }
    const F inverse = L::div(L::set(1), sums[0]);
    for (std::size_t j = 0; j < count; ++j) {
      L::store(rows + 16 * j, L::mul(L::load(rows + 16 * j), inverse));
    }
  }
};

}  // namespace qbuild::kernels
