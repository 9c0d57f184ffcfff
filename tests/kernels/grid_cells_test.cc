#include "kernels/grid_cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "kernels/iq_grids.h"

namespace qbuild::kernels {
namespace {

struct Cells {
  const std::int32_t* entries;
  std::span<const std::uint16_t> grid;
  unsigned digits, bits, base;
};

std::vector<Cells> all_cells() {
  return {{cells_2bit_256(), kGrid2Bit256.codes, 8, 2, 3},
          {cells_2bit_512(), kGrid2Bit512.codes, 8, 2, 3},
          {cells_2bit_1024(), kGrid2Bit1024.codes, 8, 2, 3},
          {cells_1bit_2048(), kGrid1Bit2048.codes, 8, 2, 3},
          {cells_3bit_256(), kGrid3Bit256.codes, 4, 3, 8},
          {cells_3bit_512(), kGrid3Bit512.codes, 4, 3, 8}};
}

unsigned digit_of(const Cells& cells, unsigned code, unsigned i) {
  return code >> cells.bits * i & ((1U << cells.bits) - 1);
}
unsigned cell_count(const Cells& cells) {
  return cells.base == 3 ? 6561 : 4096;
}
// The code of a cell's digits.
unsigned code_of(const Cells& cells, unsigned cell) {
  unsigned code = 0;
  for (unsigned i = 0; i < cells.digits; ++i, cell /= cells.base) {
    code |= cell % cells.base << cells.bits * i;
  }
  return code;
}
unsigned cell_of(const Cells& cells, unsigned code) {
  unsigned cell = 0;
  for (unsigned i = cells.digits; i-- > 0;) cell = cell * cells.base + digit_of(cells, code, i);
  return cell;
}
// Distance, then number: the order of a list.
std::pair<int, unsigned> rank_of(const Cells& cells, unsigned code, unsigned number) {
  int sum = 0;
  for (unsigned i = 0; i < cells.digits; ++i) {
    const int step = static_cast<int>(digit_of(cells, code, i)) -
                     static_cast<int>(digit_of(cells, cells.grid[number], i));
    sum += step * step;
  }
  return {sum, number};
}
unsigned entry_of(const Cells& cells, unsigned cell, std::size_t i) {
  return static_cast<unsigned>(cells.entries[kCellVectors * cell + i]);
}

TEST(GridCells, OfAVectorOfTheGridBeginWithIt) {
  for (const Cells& cells : all_cells()) {
    for (unsigned number = 0; number < cells.grid.size(); ++number) {
      const unsigned code = cells.grid[number];
      ASSERT_EQ(entry_of(cells, cell_of(cells, code), 0), number << 16 | code);
    }
  }
}

TEST(GridCells, HaveSixteenVectorsWithTheirNumbersEach) {
  for (const Cells& cells : all_cells()) {
    for (unsigned cell = 0; cell < cell_count(cells); cell += 13) {
      std::set<unsigned> numbers;
      for (std::size_t i = 0; i < kCellVectors; ++i) {
        const unsigned entry = entry_of(cells, cell, i);
        numbers.insert(entry >> 16);
        ASSERT_LT(entry >> 16, cells.grid.size());
        ASSERT_EQ(entry & 0xFFFF, cells.grid[entry >> 16]);
      }
      ASSERT_EQ(numbers.size(), kCellVectors);
    }
  }
}

TEST(GridCells, ListTheNearestAndOfTwoAlikeTheLowerNumberFirst) {
  for (const Cells& cells : all_cells()) {
    for (unsigned cell = 0; cell < cell_count(cells); cell += 331) {
      const unsigned code = code_of(cells, cell);
      std::vector<std::pair<int, unsigned>> ranks;
      for (unsigned number = 0; number < cells.grid.size(); ++number) {
        ranks.push_back(rank_of(cells, code, number));
      }
      std::sort(ranks.begin(), ranks.end());
      for (std::size_t i = 0; i < kCellVectors; ++i) {
        ASSERT_EQ(entry_of(cells, cell, i) >> 16, ranks[i].second) << cell << ", " << i;
      }
    }
  }
}

TEST(GridCells, AreMadeOnce) {
  EXPECT_EQ(cells_2bit_256(), cells_2bit_256());
  EXPECT_EQ(cells_3bit_512(), cells_3bit_512());
}

}  // namespace
}  // namespace qbuild::kernels
