#pragma once
// Which groups of values are no bell: pruned or padded ones, of one sign, of nearly one magnitude,
// with one value that has nearly all of the energy. Candidates for scales were chosen on bells, so
// encoders search blocks that have such a group as Effort::kBest does. Of normally distributed
// groups of sixteen one in sixteen thousand is taken for odd, of larger ones next to none.

#include <cstddef>

namespace qbuild::kernels {

// Groups of kValues values, one per lane.
template <class L, std::size_t kValues>
struct OddKernels {
  using F = typename L::F;
  static constexpr float kFlat = 1.5F;    // most of it, in squares that are the mean
  static constexpr float kPeaked = 0.9F;  // of the sum of the squares

  // 1 for the odd groups, 0 for the others; a lowest value that is held at 0 or less does as well.
  static F odd(F lowest, F highest, F squares) {
    const F zero = L::set(0);
    const F one = L::set(1);
    const F square = L::max(L::mul(lowest, lowest), L::mul(highest, highest));
    const F is_flat =
        L::select_less(L::mul(square, L::set(kValues)), L::mul(squares, L::set(kFlat)), one, zero);
    const F is_peaked = L::select_less(L::mul(squares, L::set(kPeaked)), square, one, is_flat);
    const F is_negative = L::select_less(zero, highest, is_peaked, one);
    return L::select_less(lowest, zero, is_negative, one);
  }

  // 1 in all lanes of a block that has an odd group. A block is `together` neighbouring lanes;
  // only the first `blocks` count.
  static F blocks_of(F odd, std::size_t together, std::size_t blocks) {
    float lanes[16];
    L::store(lanes, odd);
    for (std::size_t first = 0; first < 16; first += together) {
      float most = 0;
      for (std::size_t g = first; g < first + together; ++g)
        most = lanes[g] > most ? lanes[g] : most;
      if (first >= together * blocks) most = 0;
      for (std::size_t g = first; g < first + together; ++g) lanes[g] = most;
    }
    return L::load(lanes);
  }
  // Of the first `count` lanes; those behind the end of a row are zeros, and odd.
  static bool is_any(F odd, std::size_t count) {
    constexpr int kBitOfOne = 29;  // one of those of 1.0F
    return (L::template bit_of_lanes<kBitOfOne>(L::bits(odd)) & ((1U << count) - 1)) != 0;
  }
  static F select(F odd, F if_odd, F otherwise) {
    return L::select_less(L::set(0), odd, if_odd, otherwise);
  }
};

// Super-blocks of groups of kGroup values, for the types with grids. They are odd, too, where many
// values are zero, or next to the others as good as zero; their searches are slow anyhow.
template <class L, std::size_t kGroup>
struct OddBlocks {
  using F = typename L::F;
  static constexpr float kManyZeros = 32;
  // Of the mean magnitude to the root of the mean square: 0.87 of values that are spread evenly,
  // 0.80 of a normal distribution, 0.71 of Laplace's.
  static constexpr float kFlat = 0.95F;
  static constexpr float kPeaked = 0.5F;

  static bool is_odd(const float* from) {
    F magnitudes = L::set(0);
    F squares = L::set(0);
    F zeros = L::set(0);
    bool has_one_sign = false;
    for (std::size_t g = 0; g < 256; g += kGroup) {
      F lowest = L::set(0);
      F highest = L::set(0);
      for (std::size_t i = g; i < g + kGroup; i += 16) {
        const F x = L::load(from + i);
        magnitudes = L::add(magnitudes, L::abs(x));
        squares = L::fma(x, x, squares);
        zeros = L::add(zeros, L::select_less(L::set(0), L::abs(x), L::set(0), L::set(1)));
        lowest = L::min(x, lowest);
        highest = L::max(x, highest);
      }
      const bool has_both = L::fold_max(highest) > 0 && L::fold_max(L::sub(L::set(0), lowest)) > 0;
      has_one_sign = has_one_sign || !has_both;
    }
    const float mean = L::fold_add(magnitudes) / 256;
    const float mean_square = L::fold_add(squares) / 256;
    const float square_of_ratio = mean * mean / (mean_square > 0 ? mean_square : 1);
    return has_one_sign || L::fold_add(zeros) >= kManyZeros || square_of_ratio > kFlat * kFlat ||
           !(square_of_ratio > kPeaked * kPeaked);
  }
};

}  // namespace qbuild::kernels
