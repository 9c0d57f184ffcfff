#pragma once
// The types with grids: levels, search and layout of each. L only keeps apart the copies that are
// compiled for different instruction sets.

#include <cstddef>
#include <cstdint>

#include "kernels/blocks.h"
#include "kernels/encode_grid_lanes.h"
#include "kernels/grid_cells.h"

namespace qbuild::kernels {

// Level of a digit, for two neighbours side by side.
struct GridLevels {
  float of_two[16];
};

// Four sign codes and a scale code. The eighth sign of each is known from the others.
template <class L>
struct GridWords {
  static std::uint32_t signs_and_scale(const GridBlock<L>& b, std::size_t group) {
    std::uint32_t word = static_cast<std::uint32_t>(b.sc[group]) << 28;
    for (std::size_t i = 0; i < 4; ++i) {
      word |= (b.signs[4 * group + i] & 127U) << 7 * i;
    }
    return word;
  }
};

template <class L>
struct GridIQ3S {
  static constexpr GridImportance kByImportance{};
  static constexpr std::size_t kGroup = 32, kDigits = 4, kBlockBytes = sizeof(BlockIQ3_S);
  static constexpr GridSigns kSigns = GridSigns::kFree;
  static constexpr int kTopCode = 15;
  static constexpr float kUnit = 1;
  static constexpr GridLevels kLevels{{1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15}};
  static constexpr float kSlope = 0.5F, kOffset = -0.5F;  // of digits
  static constexpr float kScaleOfSize = 1.0F / 15;
  static constexpr GridSearch kDefault{.evenness = 4, .count = 4, .first = 0.9F, .step = 0.1F};
  static constexpr GridSearch kBest{.evenness = 64,
                                    .count = 9,
                                    .first = 0.8F,
                                    .step = 0.06F,
                                    .reach = 2,
                                    .rounds = 3,
                                    .start_count = 3,
                                    .starts = {1, 0.95F, 1.06F}};
  static const std::int32_t* cells() { return cells_3bit_512(); }
  static void store(const GridBlock<L>& b, std::uint8_t* to) {
    BlockIQ3_S block{};
    block.d_bits = b.d_bits;
    __builtin_memcpy(block.signs, b.signs, sizeof block.signs);
    for (std::size_t v = 0; v < 64; ++v) {
      const unsigned number = b.number(v);
      block.grid[v] = static_cast<std::uint8_t>(number & 255);
      block.high[v / 8] = static_cast<std::uint8_t>(block.high[v / 8] | number >> 8 << v % 8);
    }
    for (std::size_t s = 0; s < 4; ++s) {
      block.scales[s] = static_cast<std::uint8_t>(b.sc[2 * s] | b.sc[2 * s + 1] << 4);
    }
    __builtin_memcpy(to, &block, sizeof block);
  }
};

template <class L>
struct GridIQ3XXS {
  static constexpr GridImportance kByImportance{};
  static constexpr std::size_t kGroup = 32, kDigits = 4, kBlockBytes = sizeof(BlockIQ3_XXS);
  static constexpr GridSigns kSigns = GridSigns::kEven;
  static constexpr int kTopCode = 15;
  static constexpr float kUnit = 0.25F;
  static constexpr GridLevels kLevels{
      {4, 12, 20, 28, 36, 44, 52, 62, 4, 12, 20, 28, 36, 44, 52, 62}};
  static constexpr float kSlope = 0.125F, kOffset = -0.5F;
  static constexpr float kScaleOfSize = 1.0F / 62;
  static constexpr GridSearch kDefault{.evenness = 4, .count = 5, .first = 0.9F, .step = 0.1F};
  static constexpr GridSearch kBest{.evenness = 64,
                                    .count = 9,
                                    .first = 0.8F,
                                    .step = 0.08F,
                                    .reach = 2,
                                    .rounds = 3,
                                    .start_count = 3,
                                    .starts = {1, 0.95F, 1.06F}};
  static const std::int32_t* cells() { return cells_3bit_256(); }
  static void store(const GridBlock<L>& b, std::uint8_t* to) {
    BlockIQ3_XXS block{};
    block.d_bits = b.d_bits;
    for (std::size_t v = 0; v < 64; ++v) {
      block.grid[v] = static_cast<std::uint8_t>(b.number(v));
    }
    for (std::size_t s = 0; s < 8; ++s) {
      const std::uint32_t word = GridWords<L>::signs_and_scale(b, s);
      __builtin_memcpy(block.signs[s], &word, sizeof word);
    }
    __builtin_memcpy(to, &block, sizeof block);
  }
};

template <class L>
struct Grid2BitLevels {
  static constexpr GridImportance kByImportance{.is_damped = true, .evenness = 2, .lift = 1.03F};
  static constexpr int kTopCode = 15;
  static constexpr float kUnit = 0.125F;
  // There is no digit 3.
  static constexpr GridLevels kLevels{{8, 25, 43, 0, 8, 25, 43, 0, 8, 25, 43, 0, 8, 25, 43, 0}};
  static constexpr float kSlope = 1 / 17.5F, kOffset = -8 / 17.5F;
  static constexpr float kScaleOfSize = 1.0F / 43;
};

template <class L>
struct GridIQ2S : Grid2BitLevels<L> {
  static constexpr std::size_t kGroup = 16, kDigits = 8, kBlockBytes = sizeof(BlockIQ2_S);
  static constexpr GridSigns kSigns = GridSigns::kFree;
  static constexpr GridSearch kDefault{.evenness = 4, .count = 6, .first = 0.9F, .step = 0.12F};
  static constexpr GridSearch kBest{.evenness = 64,
                                    .count = 10,
                                    .first = 0.8F,
                                    .step = 0.1F,
                                    .reach = 2,
                                    .rounds = 3,
                                    .start_count = 3,
                                    .starts = {1, 0.95F, 1.06F}};
  static const std::int32_t* cells() { return cells_2bit_1024(); }
  static void store(const GridBlock<L>& b, std::uint8_t* to) {
    BlockIQ2_S block{};
    block.d_bits = b.d_bits;
    __builtin_memcpy(block.signs, b.signs, sizeof block.signs);
    for (std::size_t v = 0; v < 32; ++v) {
      const unsigned number = b.number(v);
      block.grid[v] = static_cast<std::uint8_t>(number & 255);
      block.high[v / 4] = static_cast<std::uint8_t>(block.high[v / 4] | number >> 8 << 2 * (v % 4));
    }
    for (std::size_t s = 0; s < 8; ++s) {
      block.scales[s] = static_cast<std::uint8_t>(b.sc[2 * s] | b.sc[2 * s + 1] << 4);
    }
    __builtin_memcpy(to, &block, sizeof block);
  }
};

template <class L>
struct GridIQ2XS : Grid2BitLevels<L> {
  static constexpr std::size_t kGroup = 16, kDigits = 8, kBlockBytes = sizeof(BlockIQ2_XS);
  static constexpr GridSigns kSigns = GridSigns::kEven;
  static constexpr GridSearch kDefault{.evenness = 4, .count = 6, .first = 0.9F, .step = 0.12F};
  static constexpr GridSearch kBest{.evenness = 64,
                                    .count = 10,
                                    .first = 0.8F,
                                    .step = 0.1F,
                                    .reach = 2,
                                    .rounds = 3,
                                    .start_count = 3,
                                    .starts = {1, 0.95F, 1.06F}};
  static const std::int32_t* cells() { return cells_2bit_512(); }
  static void store(const GridBlock<L>& b, std::uint8_t* to) {
    BlockIQ2_XS block{};
    block.d_bits = b.d_bits;
    for (std::size_t v = 0; v < 32; ++v) {
      block.q[v] = static_cast<std::uint16_t>(b.number(v) | (b.signs[v] & 127U) << 9);
    }
    for (std::size_t s = 0; s < 8; ++s) {
      block.scales[s] = static_cast<std::uint8_t>(b.sc[2 * s] | b.sc[2 * s + 1] << 4);
    }
    __builtin_memcpy(to, &block, sizeof block);
  }
};

template <class L>
struct GridIQ2XXS : Grid2BitLevels<L> {
  static constexpr std::size_t kGroup = 32, kDigits = 8, kBlockBytes = sizeof(BlockIQ2_XXS);
  static constexpr GridSigns kSigns = GridSigns::kEven;
  static constexpr GridSearch kDefault{.evenness = 4, .count = 6, .first = 0.9F, .step = 0.12F};
  static constexpr GridSearch kBest{.evenness = 64,
                                    .count = 10,
                                    .first = 0.8F,
                                    .step = 0.1F,
                                    .reach = 2,
                                    .rounds = 3,
                                    .start_count = 3,
                                    .starts = {1, 0.95F, 1.06F}};
  static const std::int32_t* cells() { return cells_2bit_256(); }
  static void store(const GridBlock<L>& b, std::uint8_t* to) {
    BlockIQ2_XXS block{};
    block.d_bits = b.d_bits;
    for (std::size_t s = 0; s < 8; ++s) {
      for (std::size_t i = 0; i < 4; ++i) {
        block.groups[s].grid[i] = static_cast<std::uint8_t>(b.number(4 * s + i));
      }
      const std::uint32_t word = GridWords<L>::signs_and_scale(b, s);
      __builtin_memcpy(block.groups[s].signs, &word, sizeof word);
    }
    __builtin_memcpy(to, &block, sizeof block);
  }
};

template <class L>
struct Grid1BitLevels {
  static constexpr GridImportance kByImportance{.is_damped = true, .evenness = 1, .lift = 1.04F};
  static constexpr int kTopCode = 7;
  static constexpr float kUnit = 1;
  static constexpr GridLevels kLevels{{-1, 0, 1, 0, -1, 0, 1, 0, -1, 0, 1, 0, -1, 0, 1, 0}};
  static constexpr float kSlope = 1, kOffset = 1;
  static constexpr float kScaleOfSize = 1;
  static const std::int32_t* cells() { return cells_1bit_2048(); }
};

template <class L>
struct GridIQ1S : Grid1BitLevels<L> {
  static constexpr std::size_t kGroup = 32, kDigits = 8, kBlockBytes = sizeof(BlockIQ1_S);
  static constexpr GridSigns kSigns = GridSigns::kDelta;
  static constexpr GridSearch kDefault{.evenness = 4, .count = 1, .first = 1.2F};
  static constexpr GridSearch kBest{.evenness = 64,
                                    .count = 8,
                                    .first = 0.8F,
                                    .step = 0.1F,
                                    .reach = 1,
                                    .rounds = 3,
                                    .start_count = 2,
                                    .starts = {1, 0.95F}};
  static void store(const GridBlock<L>& b, std::uint8_t* to) {
    BlockIQ1_S block{};
    block.d_bits = b.d_bits;
    for (std::size_t s = 0; s < 8; ++s) {
      unsigned high = static_cast<unsigned>(b.sc[s]) << 12 | b.is_down(4 * s) << 15;
      for (std::size_t i = 0; i < 4; ++i) {
        const unsigned number = b.number(4 * s + i);
        block.grid[4 * s + i] = static_cast<std::uint8_t>(number & 255);
        high |= number >> 8 << 3 * i;
      }
      block.high[s] = static_cast<std::uint16_t>(high);
    }
    __builtin_memcpy(to, &block, sizeof block);
  }
};

template <class L>
struct GridIQ1M : Grid1BitLevels<L> {
  static constexpr std::size_t kGroup = 16, kDigits = 8, kBlockBytes = sizeof(BlockIQ1_M);
  static constexpr GridSigns kSigns = GridSigns::kDeltaOfVector;
  static constexpr GridSearch kDefault{.evenness = 4, .count = 1, .first = 1.2F};
  static constexpr GridSearch kBest{.evenness = 64,
                                    .count = 8,
                                    .first = 0.8F,
                                    .step = 0.1F,
                                    .reach = 1,
                                    .rounds = 3,
                                    .start_count = 2,
                                    .starts = {1, 0.95F}};
  static void store(const GridBlock<L>& b, std::uint8_t* to) {
    BlockIQ1_M block{};
    for (std::size_t v = 0; v < 32; ++v) {
      const unsigned number = b.number(v);
      const unsigned nibble = number >> 8 | b.is_down(v) << 3;
      block.grid[v] = static_cast<std::uint8_t>(number & 255);
      block.high[v / 2] = static_cast<std::uint8_t>(block.high[v / 2] | nibble << 4 * (v % 2));
    }
    for (std::size_t i = 0; i < 4; ++i) {
      unsigned word = (b.d_bits >> 4 * i & 15U) << 12;
      for (std::size_t k = 0; k < 4; ++k) {
        word |= static_cast<unsigned>(b.sc[4 * i + k]) << 3 * k;
      }
      block.scales[i] = static_cast<std::uint16_t>(word);
    }
    __builtin_memcpy(to, &block, sizeof block);
  }
};

}  // namespace qbuild::kernels
