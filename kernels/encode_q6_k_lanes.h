#pragma once
// Q6_K: sixteen sub-blocks of 16 values, y = (d*sc)*(code - 32). Each lane is one sub-block of one
// super-block.
//
//   1  fit     Per sub-block a few step sizes that put the value of largest magnitude at or a
//   little inside code
//              -32; the least-squares scale of each rounding, scored by how much of the energy it
//              explains.
//   2  code    d = (scale of largest magnitude)/-128, so that the whole signed byte is used.
//   3  refine  The scale codes beside the present one; then least squares for d.
//   4  round   Every value with the scales as they are stored.
//
// Values weigh rms + |x|. Sources: gguf.md 9.2, 9.6 and 10; the candidates were chosen on the data
// of 9.7.

#include <cstddef>
#include <cstdint>

#include "kernels/encode_scale_lanes.h"

namespace qbuild::kernels {

template <class L>
struct Q6KEncoder {
  using F = typename L::F;
  using I = typename L::I;
  using Scale = ScaleKernels<L>;

  static constexpr float kMagic = 0x1.8p+23F;  // adding it rounds to an integer, ties to even
  static constexpr int kCandidates = 5;        // 30.4 to 32 steps from 0 to the largest magnitude
  static constexpr float kFirstCandidate = 30.4F;
  static constexpr float kCandidateStep = 0.4F;
  static constexpr float kNoErrorYet = 3e38F;

  struct Values {
    F x[16], w[16];
    F most;  // the value of largest magnitude; of two that differ in sign only, the positive one
  };
  struct Rounding {
    F lx, ll;  // sums of w*l*x and w*l*l, l = code - 32
  };
  struct Scales {
    F sc;  // signed bytes, as floats
    float d;
  };

  static F nonzero_or_one(F a) { return L::select_less(L::set(0), L::abs(a), a, L::set(1)); }
  static F byte_code(F a) {
    const F integer = L::sub(L::add(a, L::set(kMagic)), L::set(kMagic));
    return L::min(L::max(integer, L::set(-128)), L::set(127));
  }

  static void load(const float* from, Values* v) {
    L::transpose(from, 16, v->x);
    F squares = L::set(0);
    F highest = v->x[0];
    F lowest = v->x[0];
    for (const F& x : v->x) {
      squares = L::fma(x, x, squares);
      highest = L::max(x, highest);
      lowest = L::min(x, lowest);
    }
    v->most = L::select_less(L::add(highest, lowest), L::set(0), lowest, highest);
    const F rms = L::sqrt(L::mul(squares, L::set(1.0F / 16)));
    for (std::size_t j = 0; j < 16; ++j) v->w[j] = L::add(rms, L::abs(v->x[j]));
  }

  // x/scale rounded and held within the codes, plus kMagic.
  static F magic_code(F x, F inverse) {
    const F t = L::fma(x, inverse, L::set(kMagic));
    return L::min(L::max(t, L::set(kMagic - 32)), L::set(kMagic + 31));
  }
  static Rounding round(const Values& v, F inverse) {
    Rounding r{L::set(0), L::set(0)};
    for (std::size_t j = 0; j < 16; ++j) {
      const F l = L::sub(magic_code(v.x[j], inverse), L::set(kMagic));
      const F wl = L::mul(v.w[j], l);
      r.lx = L::fma(wl, v.x[j], r.lx);
      r.ll = L::fma(wl, l, r.ll);
    }
    return r;
  }

  static F fit(const Values& v) {
    F best_scale = L::set(0);
    F best_score = L::set(0);
    for (int k = 0; k < kCandidates; ++k) {
      const float levels = kFirstCandidate + kCandidateStep * static_cast<float>(k);
      const Rounding r = round(v, L::div(L::set(-levels), nonzero_or_one(v.most)));
      const F scale = L::div(r.lx, nonzero_or_one(r.ll));
      const F score = L::mul(scale, r.lx);
      best_scale = L::select_less(best_score, score, scale, best_scale);
      best_score = L::max(score, best_score);
    }
    return best_scale;
  }

  static Scales code(F fitted) {
    float scale[16];
    L::store(scale, fitted);
    float most = 0;
    for (const float s : scale) {
      if (s * s > most * most) most = s;
    }
    Scales s;
    s.d = Scale::round_one(most / -128);
    s.sc = byte_code(L::mul(fitted, Scale::inverse(L::set(s.d))));
    return s;
  }

  static void refine(const Values& v, Scales* s) {
    const F present = s->sc;
    F best_error = L::set(kNoErrorYet);
    Rounding best{L::set(0), L::set(0)};
    for (int step = -1; step <= 1; ++step) {
      const F sc = byte_code(L::add(present, L::set(static_cast<float>(step))));
      const F scale = L::mul(sc, L::set(s->d));
      const Rounding r = round(v, Scale::inverse(scale));
      // The error without the sum of w*x*x, which all candidates share.
      const F error = L::mul(scale, L::sub(L::mul(scale, r.ll), L::mul(L::set(2), r.lx)));
      s->sc = L::select_less(error, best_error, sc, s->sc);
      best.lx = L::select_less(error, best_error, r.lx, best.lx);
      best.ll = L::select_less(error, best_error, r.ll, best.ll);
      best_error = L::min(error, best_error);
    }
    refit(best, s);
  }

  static void refit(const Rounding& r, Scales* s) {
    // Binary16's denormals are too coarse for this to be more than noise.
    const float magnitude = s->d < 0 ? -s->d : s->d;
    if (Scale::kSmallestNormal > magnitude) return;
    float sx[16];
    float ss[16];
    L::store(sx, L::mul(s->sc, r.lx));
    L::store(ss, L::mul(L::mul(s->sc, s->sc), r.ll));
    double total_sx = 0;
    double total_ss = 0;
    for (std::size_t g = 0; g < 16; ++g) {
      total_sx += static_cast<double>(sx[g]);
      total_ss += static_cast<double>(ss[g]);
    }
    if (!(total_ss > 0)) return;
    const auto error = [&](float d) {
      const auto a = static_cast<double>(d);
      return a * (total_ss * a - 2 * total_sx);
    };
    const float d_new = Scale::round_one(static_cast<float>(total_sx / total_ss));
    if (error(d_new) < error(s->d)) s->d = d_new;
  }

  static void store_block(const Values& v, const Scales& s, std::uint8_t* to) {
    std::uint8_t code[256];  // in row order
    const F inverse = Scale::inverse(L::mul(s.sc, L::set(s.d)));
    for (std::size_t j = 0; j < 16; ++j) {
      std::uint8_t lanes[16];
      L::store_bytes(lanes, L::add_int(L::bits(magic_code(v.x[j], inverse)), L::set_int(32)));
      for (std::size_t g = 0; g < 16; ++g) code[16 * g + j] = lanes[g];
    }
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint8_t* c = code + 128 * half;
      std::uint8_t* low = to + 64 * half;
      std::uint8_t* high = to + 128 + 32 * half;
      for (std::size_t i = 0; i < 64; ++i) {
        low[i] = static_cast<std::uint8_t>((c[i] & 15) | (c[i + 64] & 15) << 4);
      }
      for (std::size_t i = 0; i < 32; ++i) {
        high[i] = static_cast<std::uint8_t>(c[i] >> 4 | c[i + 32] >> 4 << 2 | c[i + 64] >> 4 << 4 |
                                            c[i + 96] >> 4 << 6);
      }
    }
    float sc[16];
    L::store(sc, s.sc);
    for (std::size_t g = 0; g < 16; ++g) {
      const auto byte = static_cast<std::int8_t>(sc[g]);
      __builtin_memcpy(to + 192 + g, &byte, 1);
    }
    Scale::store_bits(to + 208, s.d);
  }

  static void encode(const float* values, std::size_t blocks, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; ++b) {
      Values v;
      load(values + 256 * b, &v);
      Scales s = code(fit(v));
      refine(v, &s);
      store_block(v, s, out + 210 * b);
    }
  }
};

}  // namespace qbuild::kernels
