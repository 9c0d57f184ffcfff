#pragma once
// Products of packed weights with quantized activations over lanes. Four codes of a weight are
// broadcast to all lanes, each of which holds four activations of its token; sums of int16 stay
// within their range:
//   codes up to 31, four steps of two products:  31 * 127 * 8 = 31496
//   codes up to 63, two steps:                   63 * 127 * 4 = 32004
//   signed codes, one step:                     128 * 127 * 2 = 32512

#include <cstddef>
#include <cstdint>

#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

template <class L>
struct PackedKernels {
  using F = typename L::F;
  using I = typename L::I;
  using B = typename L::B;
  using S = typename L::S;

  static std::int32_t four_bytes(const void* from) {
    std::int32_t four;
    __builtin_memcpy(&four, from, 4);
    return four;
  }

  static const std::uint8_t* unsigned_codes(const std::int8_t* codes) {
    return reinterpret_cast<const std::uint8_t*>(codes);
  }

  // Adds kSteps steps of unsigned codes before the sum is widened by `scale`.
  template <std::size_t kRows, int kSteps>
  static void add_steps(const std::uint8_t* const* codes, const std::int8_t (*x)[16][4],
                        const S* scale, I* sums) {
    S partial[kRows];
#pragma GCC unroll 4
    for (int step = 0; step < kSteps; ++step) {
      const B a = L::load_bytes(&x[step][0][0]);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < kRows; ++r) {
        const S products = L::mul_bytes(L::set_bytes(four_bytes(codes[r] + 4 * step)), a);
        partial[r] = step == 0 ? products : L::add_short(partial[r], products);
      }
    }
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRows; ++r)
      sums[r] = L::add_int(sums[r], L::mul_short(partial[r], scale[r]));
  }

  // The same of signed codes, of which every step is widened.
  template <std::size_t kRows, int kSteps>
  static void add_signed_steps(const std::int8_t* const* codes, const std::int8_t (*x)[16][4],
                               const S* scale, I* sums) {
#pragma GCC unroll 8
    for (int step = 0; step < kSteps; ++step) {
      const B a = L::load_bytes(&x[step][0][0]);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < kRows; ++r) {
        const B four = L::set_bytes(four_bytes(codes[r] + 4 * step));
        const S products = L::mul_bytes(L::abs_bytes(four), L::sign_bytes(a, four));
        sums[r] = L::add_int(sums[r], L::mul_short(products, scale[r]));
      }
    }
  }

  template <std::size_t kRows, PackedKind kKind>
  static void rows_32(const PackedTile& tile, std::size_t first) {
    const auto* weights = static_cast<const WideBlock32*>(tile.weights) + first * tile.blocks;
    const auto* x = static_cast<const LaneBlock32*>(tile.activations);
    F acc[kRows];
    for (std::size_t r = 0; r < kRows; ++r) acc[r] = L::set(0);
    for (std::size_t b = 0; b < tile.blocks; ++b, ++x) {
      const WideBlock32* w[kRows];
      I sums[kRows];
      for (std::size_t r = 0; r < kRows; ++r) {
        w[r] = weights + r * tile.blocks + b;
        sums[r] = L::set_int(0);
      }
      if constexpr (kKind == PackedKind::kQ8_0) {
        const std::int8_t* codes[kRows];
        S one[kRows];
        for (std::size_t r = 0; r < kRows; ++r) {
          codes[r] = w[r]->codes;
          one[r] = L::set_short(1);
        }
        add_signed_steps<kRows, 8>(codes, x->q, one, sums);
      } else {
        unsigned_steps<kRows>(w, x->q, sums);
      }
      const F scale = L::load(x->scale);
      for (std::size_t r = 0; r < kRows; ++r) {
        if constexpr (kKind == PackedKind::kQ4_0) {
          sums[r] = L::sub_int(sums[r], L::template shift_left<3>(L::load_int(x->sum)));
        } else if constexpr (kKind == PackedKind::kQ5_0) {
          sums[r] = L::sub_int(sums[r], L::template shift_left<4>(L::load_int(x->sum)));
        }
        acc[r] = L::fma(L::to_float(sums[r]), L::mul(L::set(w[r]->scale), scale), acc[r]);
        if constexpr (has_minimum(kKind)) {
          acc[r] = L::fma(L::set(w[r]->minimum), L::load(x->scaled_sum), acc[r]);
        }
      }
    }
    for (std::size_t r = 0; r < kRows; ++r) L::store(tile.out + (first + r) * 16, acc[r]);
  }

  template <std::size_t kRows>
  static void unsigned_steps(const WideBlock32* const* w, const std::int8_t (*x)[16][4], I* sums) {
    S one[kRows];
    for (std::size_t r = 0; r < kRows; ++r) one[r] = L::set_short(1);
    for (int half = 0; half < 2; ++half) {
      const std::uint8_t* codes[kRows];
      for (std::size_t r = 0; r < kRows; ++r) {
        codes[r] = unsigned_codes(w[r]->codes + 16 * half);
      }
      add_steps<kRows, 4>(codes, x + 4 * half, one, sums);
    }
  }

  // Where the halves of a block have a scale each.
  template <std::size_t kRows>
  static void rows_2x16(const PackedTile& tile, std::size_t first) {
    const auto* weights = static_cast<const WideBlock2x16*>(tile.weights) + first * tile.blocks;
    const auto* x = static_cast<const LaneBlock32*>(tile.activations);
    F acc[kRows];
    S one[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      acc[r] = L::set(0);
      one[r] = L::set_short(1);
    }
    for (std::size_t b = 0; b < tile.blocks; ++b, ++x) {
      const F scale = L::load(x->scale);
      for (int half = 0; half < 2; ++half) {
        const std::int8_t* codes[kRows];
        I sums[kRows];
        for (std::size_t r = 0; r < kRows; ++r) {
          codes[r] = weights[r * tile.blocks + b].codes + 16 * half;
          sums[r] = L::set_int(0);
        }
        add_signed_steps<kRows, 4>(codes, x->q + 4 * half, one, sums);
        for (std::size_t r = 0; r < kRows; ++r) {
          const F of_half = L::set(weights[r * tile.blocks + b].scales[half]);
          acc[r] = L::fma(L::to_float(sums[r]), L::mul(of_half, scale), acc[r]);
        }
      }
    }
    for (std::size_t r = 0; r < kRows; ++r) L::store(tile.out + (first + r) * 16, acc[r]);
  }

  // The sixteen codes of a part, which share a scale.
  template <std::size_t kRows, PackedKind kKind>
  static void add_part(const WideBlock256* const* w, int part, const std::int8_t (*x)[16][4],
                       I* sums) {
    const std::int8_t* codes[kRows];
    S scale[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      codes[r] = w[r]->codes + 16 * part;
      scale[r] = L::set_short(w[r]->scales[part]);
    }
    if constexpr (kKind == PackedKind::kIQ4_XS) {
      add_signed_steps<kRows, 4>(codes, x, scale, sums);
    } else {
      const std::uint8_t* from[kRows];
      for (std::size_t r = 0; r < kRows; ++r) from[r] = unsigned_codes(codes[r]);
      if constexpr (kKind == PackedKind::kQ6_K) {
        add_steps<kRows, 2>(from, x, scale, sums);
        for (std::size_t r = 0; r < kRows; ++r) from[r] += 8;
        add_steps<kRows, 2>(from, x + 2, scale, sums);
      } else {
        add_steps<kRows, 4>(from, x, scale, sums);
      }
    }
  }

  // The sums of sixteen activations times one factor for each.
  static I weighted_sums(const LaneBlock256& x, const std::int16_t* factors) {
    I total = L::set_int(0);
    for (int i = 0; i < 8; ++i) {
      total = L::add_int(total, L::mul_short(L::load_short(&x.sums[i][0][0]),
                                             L::set_short_pair(four_bytes(factors + 2 * i))));
    }
    return total;
  }

  template <std::size_t kRows, PackedKind kKind>
  static void rows_256(const PackedTile& tile, std::size_t first) {
    const auto* weights = static_cast<const WideBlock256*>(tile.weights) + first * tile.blocks;
    const auto* x = static_cast<const LaneBlock256*>(tile.activations);
    F acc[kRows];
    for (std::size_t r = 0; r < kRows; ++r) acc[r] = L::set(0);
    for (std::size_t b = 0; b < tile.blocks; ++b, ++x) {
      const WideBlock256* w[kRows];
      I sums[kRows];
      for (std::size_t r = 0; r < kRows; ++r) {
        w[r] = weights + r * tile.blocks + b;
        sums[r] = L::set_int(0);
      }
      for (int part = 0; part < 16; ++part) add_part<kRows, kKind>(w, part, x->q + 4 * part, sums);
      const F scale = L::load(x->scale);
      for (std::size_t r = 0; r < kRows; ++r) {
        if constexpr (kKind == PackedKind::kQ6_K) {
          const I offset = weighted_sums(*x, w[r]->scales);
          sums[r] = L::sub_int(sums[r], L::template shift_left<5>(offset));
        }
        acc[r] = L::fma(L::to_float(sums[r]), L::mul(L::set(w[r]->scale), scale), acc[r]);
        if constexpr (has_minimum(kKind)) {
          const F minimum = L::to_float(weighted_sums(*x, w[r]->minimums));
          acc[r] = L::fma(minimum, L::mul(L::set(-w[r]->minimum), scale), acc[r]);
        }
      }
    }
    for (std::size_t r = 0; r < kRows; ++r) L::store(tile.out + (first + r) * 16, acc[r]);
  }

  template <PackedKind kKind, std::size_t kRows>
  static void rows(const PackedTile& tile, std::size_t first) {
    if constexpr (has_wide_blocks(kKind)) {
      rows_256<kRows, kKind>(tile, first);
    } else if constexpr (kKind == PackedKind::kNVFP4) {
      rows_2x16<kRows>(tile, first);
    } else {
      rows_32<kRows, kKind>(tile, first);
    }
  }

  template <PackedKind kKind>
  static void all_rows(const PackedTile& tile) {
    constexpr std::size_t kStep = L::kIntegerOutputs;
    std::size_t r = 0;
    for (; r + kStep <= tile.outputs; r += kStep) rows<kKind, L::kIntegerOutputs>(tile, r);
    for (; r < tile.outputs; ++r) rows<kKind, 1>(tile, r);
  }

  static void multiply(const PackedTile& tile) {
    switch (tile.kind) {
      case PackedKind::kNone:
        return;
      case PackedKind::kQ8_0:
        return all_rows<PackedKind::kQ8_0>(tile);
      case PackedKind::kQ4_0:
        return all_rows<PackedKind::kQ4_0>(tile);
      case PackedKind::kQ5_0:
        return all_rows<PackedKind::kQ5_0>(tile);
      case PackedKind::kQ5_1:
        return all_rows<PackedKind::kQ5_1>(tile);
      case PackedKind::kNVFP4:
        return all_rows<PackedKind::kNVFP4>(tile);
      case PackedKind::kQ4_K:
        return all_rows<PackedKind::kQ4_K>(tile);
      case PackedKind::kQ6_K:
        return all_rows<PackedKind::kQ6_K>(tile);
      case PackedKind::kIQ4_XS:
        return all_rows<PackedKind::kIQ4_XS>(tile);
    }
  }
};

}  // namespace qbuild::kernels
