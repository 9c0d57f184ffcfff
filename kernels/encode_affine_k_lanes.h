#pragma once
// Q4_K and Q5_K: eight sub-blocks of 32 values, y = (d*sc)*code - dmin*m.
//
// Two super-blocks go together and each of the sixteen lanes is one sub-block: a sum over a
// sub-block is a chain in its lane, and nothing is summed across lanes but the few numbers of a
// super-block.
//
//   1  fit     Per sub-block a handful of step sizes around range/levels. The least-squares scale
//   and minimum
//              for each rounding, and their error, come in closed form from the sums of w*l, w*l*l
//              and w*l*x.
//   2  code    d and dmin from the largest scale and minimum; six-bit codes for the others.
//   3  refine  Per sub-block the scale codes beside the present one, each with the best minimum
//   code for its
//              rounding; then least squares for d and dmin over the super-block, if that lowers the
//              error.
//   4  round   Every value with the scales as they are stored.
//
// Values weigh rms + |x|, as in the reference (gguf.md 9.6): the large ones matter more for what a
// network says than their squared error shows. That closed forms and two rounds of refinement beat
// the reference's error in a fraction of its time is from gguf.md 10; candidates were chosen on the
// data of gguf.md 9.7.

#include <cstddef>
#include <cstdint>

#include "kernels/encode_scale_lanes.h"

namespace qbuild::kernels {

template <class L, int kTopCode>
struct AffineKEncoder {
  using F = typename L::F;
  using I = typename L::I;
  using Scale = ScaleKernels<L>;

  static constexpr float kMagic = 0x1.8p+23F;  // adding it rounds to an integer, ties to even
  static constexpr float kTopScale = 63;
  // Step sizes from range/(kTopCode - 1.6) to range/(kTopCode + 0.4).
  static constexpr int kCandidates = 9;
  static constexpr float kFirstCandidate = -1.6F;
  static constexpr float kCandidateStep = 0.25F;
  static constexpr int kRefinements = 2;
  // Below this part of its largest possible value the determinant of a fit is noise of the sums.
  static constexpr float kSmallestDeterminant = 4e-6F;
  static constexpr float kNoErrorYet = 3e38F;

  // Two super-blocks in lanes: x[j] is value j of each sub-block, w[j] its weight, and the sums
  // over j.
  struct Values {
    F x[32], w[32];
    F lowest, highest;  // lowest <= 0
    F sum_w, sum_wx, sum_wxx;
  };
  // Of one rounding to codes l: the sums of w*l, w*l*l, w*l*x.
  struct Rounding {
    F l, ll, lx;
  };
  struct Fit {
    F scale, minimum;  // y = scale*l - minimum, both >= 0
    F error;
  };
  // What is stored, but for the codes of the values.
  struct Scales {
    F sc, m;  // six-bit codes, as floats
    float d[2], dmin[2];
  };

  static F positive_or_one(F a) { return L::select_less(L::set(0), a, a, L::set(1)); }
  static F to_integer(F a) { return L::sub(L::add(a, L::set(kMagic)), L::set(kMagic)); }
  static F clamp(F a, float top) { return L::min(L::max(a, L::set(0)), L::set(top)); }
  // One number per super-block, in the lanes of its sub-blocks.
  static F spread(const float* two) {
    float lanes[16];
    for (std::size_t g = 0; g < 16; ++g) lanes[g] = two[g / 8];
    return L::load(lanes);
  }

  static void load(const float* from, Values* v) {
    const F zero = L::set(0);
    L::transpose(from, 32, v->x);
    L::transpose(from + 16, 32, v->x + 16);
    F squares = zero;
    v->lowest = zero;
    v->highest = v->x[0];
    for (const F& x : v->x) {
      squares = L::fma(x, x, squares);
      v->lowest = L::min(x, v->lowest);
      v->highest = L::max(x, v->highest);
    }
    const F rms = L::sqrt(L::mul(squares, L::set(1.0F / 32)));
    v->sum_w = v->sum_wx = v->sum_wxx = zero;
    for (std::size_t j = 0; j < 32; ++j) {
      const F x = v->x[j];
      const F w = L::add(rms, L::abs(x));
      const F wx = L::mul(w, x);
      v->w[j] = w;
      v->sum_w = L::add(v->sum_w, w);
      v->sum_wx = L::add(v->sum_wx, wx);
      v->sum_wxx = L::fma(wx, x, v->sum_wxx);
    }
  }

  // (x + minimum)/scale rounded to a code, plus kMagic: its low bits are the code.
  static F magic_code(F x, F inverse, F offset) {
    const F t = L::add(L::fma(x, inverse, offset), L::set(kMagic));
    return L::min(L::max(t, L::set(kMagic)), L::set(kMagic + kTopCode));
  }
  static Rounding round(const Values& v, F inverse, F offset) {
    Rounding r{L::set(0), L::set(0), L::set(0)};
    for (std::size_t j = 0; j < 32; ++j) {
      const F l = L::sub(magic_code(v.x[j], inverse, offset), L::set(kMagic));
      const F wl = L::mul(v.w[j], l);
      r.l = L::add(r.l, wl);
      r.ll = L::fma(wl, l, r.ll);
      r.lx = L::fma(wl, v.x[j], r.lx);
    }
    return r;
  }
  // The sum of w*(scale*l - minimum - x)^2, multiplied out.
  static F error_of(const Values& v, const Rounding& r, F scale, F minimum) {
    const F two = L::set(2);
    const F of_scale = L::mul(scale, L::sub(L::mul(scale, r.ll), L::mul(two, r.lx)));
    const F cross = L::sub(L::mul(minimum, v.sum_w), L::mul(two, L::mul(scale, r.l)));
    const F of_minimum = L::mul(minimum, L::add(L::mul(two, v.sum_wx), cross));
    return L::add(v.sum_wxx, L::add(of_scale, of_minimum));
  }

  static Fit fit(const Values& v) {
    const F zero = L::set(0);
    const F range = L::sub(v.highest, v.lowest);
    const F plain_scale = L::div(range, L::set(kTopCode));
    const F plain_minimum = L::sub(zero, v.lowest);
    Fit best{plain_scale, plain_minimum, L::set(kNoErrorYet)};
    for (int k = 0; k < kCandidates; ++k) {
      const float levels = kTopCode + kFirstCandidate + kCandidateStep * static_cast<float>(k);
      const F inverse = L::div(L::set(levels), positive_or_one(range));
      const Rounding r = round(v, inverse, L::mul(plain_minimum, inverse));
      const F most = L::mul(v.sum_w, r.ll);
      const F determinant = L::sub(most, L::mul(r.l, r.l));
      const F limit = L::mul(most, L::set(kSmallestDeterminant));
      const F divisor = positive_or_one(determinant);
      F scale = L::div(L::sub(L::mul(v.sum_w, r.lx), L::mul(v.sum_wx, r.l)), divisor);
      F minimum = L::div(L::sub(L::mul(r.l, r.lx), L::mul(r.ll, v.sum_wx)), divisor);
      // A minimum cannot be negative: the best scale without one.
      scale = L::select_less(minimum, zero, L::div(r.lx, positive_or_one(r.ll)), scale);
      minimum = L::max(minimum, zero);
      scale = L::select_less(limit, determinant, L::max(scale, zero), plain_scale);
      minimum = L::select_less(limit, determinant, minimum, plain_minimum);
      const F error = error_of(v, r, scale, minimum);
      best.scale = L::select_less(error, best.error, scale, best.scale);
      best.minimum = L::select_less(error, best.error, minimum, best.minimum);
      best.error = L::min(error, best.error);
    }
    return best;
  }

  static Scales code(const Fit& fit) {
    Scales s;
    float scale[16];
    float minimum[16];
    L::store(scale, fit.scale);
    L::store(minimum, fit.minimum);
    for (std::size_t b = 0; b < 2; ++b) {
      float most_scale = 0;
      float most_minimum = 0;
      for (std::size_t g = 8 * b; g < 8 * b + 8; ++g) {
        most_scale = scale[g] > most_scale ? scale[g] : most_scale;
        most_minimum = minimum[g] > most_minimum ? minimum[g] : most_minimum;
      }
      s.d[b] = Scale::round_one(most_scale / kTopScale);
      s.dmin[b] = Scale::round_one(most_minimum / kTopScale);
    }
    s.sc = clamp(to_integer(L::mul(fit.scale, Scale::inverse(spread(s.d)))), kTopScale);
    s.m = clamp(to_integer(L::mul(fit.minimum, Scale::inverse(spread(s.dmin)))), kTopScale);
    return s;
  }

  static void refine(const Values& v, Scales* s) {
    const F d = spread(s->d);
    const F dmin = spread(s->dmin);
    const F inverse_dmin = Scale::inverse(dmin);
    const F minimum = L::mul(s->m, dmin);
    F best_error = L::set(kNoErrorYet);
    F best_sc = s->sc;
    F best_m = s->m;
    Rounding best{L::set(0), L::set(0), L::set(0)};
    for (int step = -1; step <= 1; ++step) {
      const F sc = clamp(L::add(s->sc, L::set(static_cast<float>(step))), kTopScale);
      const F scale = L::mul(sc, d);
      const F inverse = Scale::inverse(scale);
      const Rounding r = round(v, inverse, L::mul(minimum, inverse));
      const F best_minimum = L::div(L::sub(L::mul(scale, r.l), v.sum_wx), positive_or_one(v.sum_w));
      const F m = clamp(to_integer(L::mul(best_minimum, inverse_dmin)), kTopScale);
      const F error = error_of(v, r, scale, L::mul(m, dmin));
      best_sc = L::select_less(error, best_error, sc, best_sc);
      best_m = L::select_less(error, best_error, m, best_m);
      best.l = L::select_less(error, best_error, r.l, best.l);
      best.ll = L::select_less(error, best_error, r.ll, best.ll);
      best.lx = L::select_less(error, best_error, r.lx, best.lx);
      best_error = L::min(error, best_error);
    }
    s->sc = best_sc;
    s->m = best_m;
    refit(v, best, s);
  }

  // d and dmin for fixed codes: the least of ss*d*d - 2*sm*d*dmin + mm*dmin*dmin - 2*sx*d +
  // 2*mx*dmin.
  static void refit(const Values& v, const Rounding& r, Scales* s) {
    float ss[16], sm[16], mm[16], sx[16], mx[16];
    L::store(ss, L::mul(L::mul(s->sc, s->sc), r.ll));
    L::store(sm, L::mul(L::mul(s->sc, s->m), r.l));
    L::store(mm, L::mul(L::mul(s->m, s->m), v.sum_w));
    L::store(sx, L::mul(s->sc, r.lx));
    L::store(mx, L::mul(s->m, v.sum_wx));
    for (std::size_t b = 0; b < 2; ++b) {
      // Binary16's denormals are too coarse for this to be more than noise.
      if (Scale::kSmallestNormal > s->d[b]) continue;
      double t_ss = 0, t_sm = 0, t_mm = 0, t_sx = 0, t_mx = 0;
      for (std::size_t g = 8 * b; g < 8 * b + 8; ++g) {
        t_ss += static_cast<double>(ss[g]);
        t_sm += static_cast<double>(sm[g]);
        t_mm += static_cast<double>(mm[g]);
        t_sx += static_cast<double>(sx[g]);
        t_mx += static_cast<double>(mx[g]);
      }
      const auto error = [&](float d_new, float dmin_new) {
        const auto a = static_cast<double>(d_new);
        const auto c = static_cast<double>(dmin_new);
        return a * (t_ss * a - 2 * t_sx) + c * (t_mm * c + 2 * t_mx - 2 * t_sm * a);
      };
      const double determinant = t_ss * t_mm - t_sm * t_sm;
      const bool solvable = determinant > static_cast<double>(kSmallestDeterminant) * t_ss * t_mm;
      if (!solvable && !(t_ss > 0)) continue;
      // Without minimums only d is free.
      const double d_best = solvable ? (t_sx * t_mm - t_sm * t_mx) / determinant
                                     : (t_sx + t_sm * static_cast<double>(s->dmin[b])) / t_ss;
      const double dmin_best =
          solvable ? (t_sm * t_sx - t_ss * t_mx) / determinant : static_cast<double>(s->dmin[b]);
      const float d_new = Scale::round_one(static_cast<float>(d_best));
      const float dmin_new = Scale::round_one(static_cast<float>(dmin_best));
      if (d_new > 0 && dmin_new >= 0 && error(d_new, dmin_new) < error(s->d[b], s->dmin[b])) {
        s->d[b] = d_new;
        s->dmin[b] = dmin_new;
      }
    }
  }

  // codes[c][g]: the codes 4c to 4c + 3 of sub-block g, one per byte.
  static void round_values(const Values& v, const Scales& s, std::uint32_t (*codes)[16]) {
    const F inverse = Scale::inverse(L::mul(s.sc, spread(s.d)));
    const F offset = L::mul(L::mul(s.m, spread(s.dmin)), inverse);
    // What is left of the bits of kMagic after four of them were shifted and added.
    const I magic_bits = L::set_int(static_cast<std::int32_t>(0x8b400000U));
    for (std::size_t c = 0; c < 8; ++c) {
      I code[4];
      for (std::size_t i = 0; i < 4; ++i) {
        code[i] = L::bits(magic_code(v.x[4 * c + i], inverse, offset));
      }
      const I low = L::add_int(code[0], L::template shift_left<8>(code[1]));
      const I high =
          L::add_int(L::template shift_left<16>(code[2]), L::template shift_left<24>(code[3]));
      std::int32_t lanes[16];
      L::store_int(lanes, L::sub_int(L::add_int(low, high), magic_bits));
      __builtin_memcpy(codes[c], lanes, sizeof lanes);
    }
  }

  // The eight scales and minimums of super-block b in twelve bytes: the layout is in
  // kernels/blocks.h.
  static void store_scales(const Scales& s, std::size_t b, std::uint8_t* to) {
    float sc[16];
    float m[16];
    L::store(sc, s.sc);
    L::store(m, s.m);
    for (std::size_t g = 0; g < 4; ++g) {
      const auto sc_low = static_cast<unsigned>(sc[8 * b + g]);
      const auto sc_high = static_cast<unsigned>(sc[8 * b + g + 4]);
      const auto m_low = static_cast<unsigned>(m[8 * b + g]);
      const auto m_high = static_cast<unsigned>(m[8 * b + g + 4]);
      to[g] = static_cast<std::uint8_t>(sc_low | sc_high >> 4 << 6);
      to[g + 4] = static_cast<std::uint8_t>(m_low | m_high >> 4 << 6);
      to[g + 8] = static_cast<std::uint8_t>((sc_high & 15) | (m_high & 15) << 4);
    }
  }
  static void store_block(const Scales& s, const std::uint32_t (*codes)[16], std::size_t b,
                          std::uint8_t* to) {
    Scale::store_bits(to, s.d[b]);
    Scale::store_bits(to + 2, s.dmin[b]);
    store_scales(s, b, to + 4);
    std::uint8_t* low = to + 16;
    if constexpr (kTopCode == 31) {
      for (std::size_t c = 0; c < 8; ++c) {
        std::uint32_t fifth = 0;
        for (std::size_t g = 0; g < 8; ++g) {
          fifth |= (codes[c][8 * b + g] >> 4 & 0x01010101U) << g;
        }
        __builtin_memcpy(to + 16 + 4 * c, &fifth, sizeof fifth);
      }
      low += 32;
    }
    for (std::size_t g = 0; g < 4; ++g) {
      for (std::size_t c = 0; c < 8; ++c) {
        const std::uint32_t even = codes[c][8 * b + 2 * g] & 0x0f0f0f0fU;
        const std::uint32_t odd = codes[c][8 * b + 2 * g + 1] & 0x0f0f0f0fU;
        const std::uint32_t both = even | odd << 4;
        __builtin_memcpy(low + 32 * g + 4 * c, &both, sizeof both);
      }
    }
  }

  static constexpr std::size_t kBlockBytes = kTopCode == 31 ? 176 : 144;

  static void encode(const float* values, std::size_t blocks, std::uint8_t* out) {
    for (std::size_t b = 0; b < blocks; b += 2) {
      const bool pair = b + 1 < blocks;
      float padded[512];
      const float* from = values + 256 * b;
      if (!pair) {
        __builtin_memcpy(padded, from, 256 * sizeof(float));
        __builtin_memset(padded + 256, 0, 256 * sizeof(float));
        from = padded;
      }
      Values v;
      load(from, &v);
      Scales s = code(fit(v));
      for (int i = 0; i < kRefinements; ++i) refine(v, &s);
      std::uint32_t codes[8][16];
      round_values(v, s, codes);
      store_block(s, codes, 0, out + kBlockBytes * b);
      if (pair) store_block(s, codes, 1, out + kBlockBytes * (b + 1));
    }
  }
};

}  // namespace qbuild::kernels
