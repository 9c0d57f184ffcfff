#pragma once
// Quantizes the activations of one token, a block at a time, as llama.cpp's CPU backend does on x86
// (docs/types/activations.md): Q8_0 and Q8_1 by amax/127 with the factor 127/amax, Q8_K by the
// value of largest magnitude (the first of equals), which becomes -127. Codes are rounded to even.

#include <cstddef>
#include <cstdint>

#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

template <class L>
struct QuantizeKernels {
  using F = typename L::F;

  // 0, or not-a-number if any of the values is that or infinite.
  static float poison(const float* x, std::size_t count) {
    F sum = L::set(0);
    for (std::size_t i = 0; i < count; i += 16) sum = L::fma(L::load(x + i), L::set(0), sum);
    return L::fold_add(sum);
  }

  // The nearest integers of x*factor, which are within [-128, 127].
  static void round_codes(const float* x, std::size_t count, float factor, std::int8_t* out) {
    const F f = L::set(factor);
    const F shift = L::set(0x1.8p+23F);
    std::int32_t codes[16];
    for (std::size_t i = 0; i < count; i += 16) {
      L::store_int(codes, L::bits(L::add(L::mul(L::load(x + i), f), shift)));
      for (std::size_t l = 0; l < 16; ++l) {
        out[i + l] = static_cast<std::int8_t>(static_cast<std::uint8_t>(codes[l] & 0xff));
      }
    }
  }

  static void quantize_32(const float* x, TokenBlock* out) {
    const float most = L::fold_max(L::max(L::abs(L::load(x)), L::abs(L::load(x + 16))));
    out->scale = most / 127.0F + poison(x, 32);
    round_codes(x, 32, most != 0 ? 127.0F / most : 0.0F, out->q);
  }

  static void quantize_256(const float* x, TokenBlock* out) {
    F highest = L::load(x);
    F lowest = L::sub(L::set(0), highest);
    for (std::size_t i = 16; i < 256; i += 16) {
      const F a = L::load(x + i);
      highest = L::max(a, highest);
      lowest = L::max(L::sub(L::set(0), a), lowest);
    }
    const float high = L::fold_max(highest);
    const float low = L::fold_max(lowest);
    float most = high > low ? high : -low;
    if (high == low) {
      for (std::size_t i = 0; i < 256; ++i) {
        if (x[i] == high || x[i] == -high) {
          most = x[i];
          break;
        }
      }
    }
    const float bad = poison(x, 256);
    if (most == 0 || bad != bad) {
      for (std::int8_t& q : out->q) q = 0;
      out->scale = bad;
      return;
    }
    const float factor = -127.0F / most;
    round_codes(x, 256, factor, out->q);
    // The opposite extreme may round to +128, which the byte holds as -128.
    for (std::size_t i = 0; i < 256; ++i) {
      if (out->q[i] == -128 && x[i] * factor > 0) out->q[i] = 127;
    }
    out->scale = 1.0F / factor;
  }
};

}  // namespace qbuild::kernels
