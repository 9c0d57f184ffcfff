#include "kernels/grid_cells.h"

#include <algorithm>
#include <vector>

#include "kernels/iq_grids.h"

namespace qbuild::kernels {
namespace {

// How digits lie in a code, and in the number of a cell.
struct Digits {
  unsigned count, bits, base;
};
constexpr Digits kEightOfThree{8, 2, 3};
constexpr Digits kFourOfEight{4, 3, 8};

unsigned power(unsigned base, unsigned exponent) {
  unsigned result = 1;
  for (unsigned i = 0; i < exponent; ++i) result *= base;
  return result;
}

// The code of the digits of the lowest `count` places of a number in the digits' base.
unsigned code_of(unsigned number, Digits digits, unsigned count) {
  unsigned code = 0;
  for (unsigned i = 0; i < count; ++i, number /= digits.base) {
    code |= number % digits.base << digits.bits * i;
  }
  return code;
}

unsigned squared_distance(unsigned a, unsigned b, Digits digits, unsigned count) {
  unsigned sum = 0;
  for (unsigned i = 0; i < count; ++i) {
    const unsigned mask = (1U << digits.bits) - 1;
    const int step = static_cast<int>(a >> digits.bits * i & mask) -
                     static_cast<int>(b >> digits.bits * i & mask);
    sum += static_cast<unsigned>(step * step);
  }
  return sum;
}

// Distances are sums over the two halves of a vector, and a half has few values.
std::vector<unsigned> distances_of_halves(Digits digits) {
  const unsigned codes = 1U << digits.bits * digits.count / 2;
  std::vector<unsigned> table(std::size_t{codes} * codes);
  for (unsigned a = 0; a < codes; ++a) {
    for (unsigned b = 0; b < codes; ++b) {
      table[a * codes + b] = squared_distance(a, b, digits, digits.count / 2);
    }
  }
  return table;
}

template <std::size_t kCount>
std::vector<std::int32_t> make_cells(const Grid<kCount>& grid, Digits digits) {
  const unsigned half_bits = digits.bits * digits.count / 2;
  const unsigned half = (1U << half_bits) - 1;
  const std::vector<unsigned> distances = distances_of_halves(digits);
  const unsigned cells = power(digits.base, digits.count);
  std::vector<std::int32_t> made(cells * kCellVectors);
  std::vector<unsigned> keys(kCount);  // distance first, then number
  for (unsigned cell = 0; cell < cells; ++cell) {
    const unsigned code = code_of(cell, digits, digits.count);
    const unsigned* low = &distances[(code & half) << half_bits];
    const unsigned* high = &distances[code >> half_bits << half_bits];
    for (unsigned i = 0; i < kCount; ++i) {
      keys[i] = (low[grid.codes[i] & half] + high[grid.codes[i] >> half_bits]) << 16 | i;
    }
    std::partial_sort(keys.begin(), keys.begin() + kCellVectors, keys.end());
    for (std::size_t i = 0; i < kCellVectors; ++i) {
      const unsigned number = keys[i] & 0xFFFFU;
      made[kCellVectors * cell + i] = static_cast<std::int32_t>(number << 16 | grid.codes[number]);
    }
  }
  return made;
}

}  // namespace

const std::int32_t* cells_2bit_256() {
  static const std::vector<std::int32_t> kCells = make_cells(kGrid2Bit256, kEightOfThree);
  return kCells.data();
}
const std::int32_t* cells_2bit_512() {
  static const std::vector<std::int32_t> kCells = make_cells(kGrid2Bit512, kEightOfThree);
  return kCells.data();
}
const std::int32_t* cells_2bit_1024() {
  static const std::vector<std::int32_t> kCells = make_cells(kGrid2Bit1024, kEightOfThree);
  return kCells.data();
}
const std::int32_t* cells_1bit_2048() {
  static const std::vector<std::int32_t> kCells = make_cells(kGrid1Bit2048, kEightOfThree);
  return kCells.data();
}
const std::int32_t* cells_3bit_256() {
  static const std::vector<std::int32_t> kCells = make_cells(kGrid3Bit256, kFourOfEight);
  return kCells.data();
}
const std::int32_t* cells_3bit_512() {
  static const std::vector<std::int32_t> kCells = make_cells(kGrid3Bit512, kFourOfEight);
  return kCells.data();
}

}  // namespace qbuild::kernels
