#pragma once
// The dot product of one packed row with one token: along the row instead of across tokens, so sums
// are taken in an order of this backend's own.

#include <cstddef>
#include <cstdint>

#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

template <class L>
struct DotKernels {
  using F = typename L::F;
  using I = typename L::I;
  using B = typename L::B;
  using S = typename L::S;

  static S products(B codes, B x) {
    return L::mul_bytes(L::abs_bytes(codes), L::sign_bytes(x, codes));
  }

  static float dot_32(PackedKind kind, const WideBlock32* w, const DotBlock32* x,
                      std::size_t blocks) {
    const B offset = L::set_bytes(code_offset(kind) * 0x01010101);
    const S one = L::set_short(1);
    F acc = L::set(0);
    float minimums = 0;
    const WideBlock32 nothing{};
    const DotBlock32 no_token{};
    for (std::size_t b = 0; b < blocks; b += 2) {
      const bool pair = b + 1 < blocks;
      const WideBlock32& w1 = pair ? w[b + 1] : nothing;
      const DotBlock32& x1 = pair ? x[b + 1] : no_token;
      const B codes = L::sub_bytes(L::load_two(w[b].codes, w1.codes), offset);
      const I sums = L::mul_short(products(codes, L::load_two(x[b].q, x1.q)), one);
      acc = L::fma(L::to_float(sums), L::spread_two(w[b].scale * x[b].scale, w1.scale * x1.scale),
                   acc);
      minimums += w[b].minimum * x[b].scaled_sum + w1.minimum * x1.scaled_sum;
    }
    return L::fold_add(acc) + minimums;
  }

  // Where the halves of a block have a scale each. A lane has the sum of four codes.
  static float dot_2x16(const WideBlock2x16* w, const DotBlock32* x, std::size_t blocks) {
    const S one = L::set_short(1);
    F acc = L::set(0);
    const WideBlock2x16 nothing{};
    const DotBlock32 no_token{};
    for (std::size_t b = 0; b < blocks; b += 2) {
      const bool pair = b + 1 < blocks;
      const WideBlock2x16& w1 = pair ? w[b + 1] : nothing;
      const DotBlock32& x1 = pair ? x[b + 1] : no_token;
      const B codes = L::load_two(w[b].codes, w1.codes);
      const I sums = L::mul_short(products(codes, L::load_two(x[b].q, x1.q)), one);
      float scales[16];
      for (int l = 0; l < 8; ++l) scales[l] = w[b].scales[l / 4] * x[b].scale;
      for (int l = 0; l < 8; ++l) scales[8 + l] = w1.scales[l / 4] * x1.scale;
      acc = L::fma(L::to_float(sums), L::load(scales), acc);
    }
    return L::fold_add(acc);
  }

  static float dot_256(PackedKind kind, const WideBlock256* w, const DotBlock256* x,
                       std::size_t blocks) {
    const B offset = L::set_bytes(code_offset(kind) * 0x01010101);
    F acc = L::set(0);
    float minimums = 0;
    for (std::size_t b = 0; b < blocks; ++b, ++w, ++x) {
      I sums = L::set_int(0);
      for (int i = 0; i < 4; ++i) {
        const B c = L::sub_bytes(L::load_bytes(w->codes + 64 * i), offset);
        sums = L::add_int(sums, L::mul_short(products(c, L::load_bytes(x->q + 64 * i)),
                                             L::spread_four(w->scales + 4 * i)));
      }
      acc = L::fma(L::to_float(sums), L::set(w->scale * x->scale), acc);
      std::int32_t minimum = 0;
      for (int i = 0; i < 16; ++i) minimum += w->minimums[i] * x->sums[i];
      minimums += w->minimum * x->scale * static_cast<float>(minimum);
    }
    return L::fold_add(acc) - minimums;
  }

  static float dot(PackedKind kind, const void* weights, const void* activations,
                   std::size_t blocks) {
    if (has_wide_blocks(kind)) {
      return dot_256(kind, static_cast<const WideBlock256*>(weights),
                     static_cast<const DotBlock256*>(activations), blocks);
    }
    const auto* const x = static_cast<const DotBlock32*>(activations);
    if (kind == PackedKind::kNVFP4)
      return dot_2x16(static_cast<const WideBlock2x16*>(weights), x, blocks);
    return dot_32(kind, static_cast<const WideBlock32*>(weights), x, blocks);
  }
};

}  // namespace qbuild::kernels
