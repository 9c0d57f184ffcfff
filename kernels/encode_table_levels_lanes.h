#pragma once
// The sixteen uneven levels of IQ4_NL and IQ4_XS for encoders: the nearest one to a number.

#include <cstddef>
#include <cstdint>

#include "kernels/encode_scaled_lanes.h"
#include "kernels/float4_levels.h"
#include "kernels/halves.h"

namespace qbuild::kernels {

// The nearest level is found in four comparisons with the middles between neighbours: with the
// middle of all, then of the half, the quarter and the eighth that is left. Each result is one bit
// of a path, the first one the lowest, so that the part of the path that is known is a place in a
// table.
template <class L>
struct TableLevels {
  using F = typename L::F;
  using I = typename L::I;

  // The code at the end of a path: its bits in reverse.
  static constexpr int code_of(int path) {
    return (path & 1) << 3 | (path & 2) << 1 | (path & 4) >> 1 | (path & 8) >> 3;
  }
  static constexpr float level_of(int code) { return kFourBitLevels[code]; }
  struct Tables {
    float first, second[2];
    float third[8], fourth[8];  // the middle to compare with after a path; eight to fill registers
    float level[16], code[16];  // at the end of a path
  };
  static constexpr Tables make_tables() {
    Tables t{};
    const auto middle = [](int code) { return (level_of(code) + level_of(code + 1)) / 2; };
    t.first = middle(7);
    t.second[0] = middle(3);
    t.second[1] = middle(11);
    for (int path = 0; path < 16; ++path) {
      const int code = code_of(path);
      const auto p = static_cast<std::size_t>(path);
      if (path < 8) t.third[p] = middle(code_of(path & 3) + 1);
      if (path < 8) t.fourth[p] = middle(code);
      t.level[p] = level_of(code);
      t.code[p] = static_cast<float>(code);
    }
    return t;
  }
  static constexpr Tables kTables = make_tables();

  static I path_of(F y) {
    const F first = L::set(kTables.first);
    const F second = L::select_less(first, y, L::set(kTables.second[1]), L::set(kTables.second[0]));
    I path = L::add_int(bit_if_less(first, y, 1), bit_if_less(second, y, 2));
    path = L::add_int(path, bit_if_less(L::look_up_8(kTables.third, path), y, 4));
    return L::add_int(path, bit_if_less(L::look_up_8(kTables.fourth, path), y, 8));
  }
  static I bit_if_less(F a, F b, std::int32_t bit) {
    return L::bits(L::select_less(a, b, L::from_bits(L::set_int(bit)), L::set(0)));
  }

  // Paths end at the lowest and the highest level by themselves.
  static constexpr Held held_within(float) { return Held::kAtBoth; }

  // The level nearest to x*inverse; the lower one of two.
  template <Held>
  static F level(F x, F inverse) {
    return L::look_up_16(kTables.level, path_of(L::mul(x, inverse)));
  }
  // The codes of 32 values.
  static void codes_32(const float* x, const Halves& inverse, std::uint8_t* codes) {
    L::store_bytes(codes, code(L::load(x), L::set(inverse.first)));
    L::store_bytes(codes + 16, code(L::load(x + 16), L::set(inverse.second)));
  }
  // Its code, in the lowest byte of each lane, which holds nothing else.
  static I code(F x, F inverse) {
    const F code = L::look_up_16(kTables.code, path_of(L::mul(x, inverse)));
    return L::and_int(L::bits(L::add(code, L::set(0x1.8p+23F))), L::set_int(15));
  }
};

}  // namespace qbuild::kernels
