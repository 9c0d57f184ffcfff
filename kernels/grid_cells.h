#pragma once
// For encoders: which vectors of a grid lie near a point. Space is cut into cells, one for each
// vector of digits whether it is in the grid or not, and each cell has a short list of the grid's
// vectors around it.

#include <cstddef>
#include <cstdint>

namespace qbuild::kernels {

// Vectors in a list: as many as there are lanes.
inline constexpr std::size_t kCellVectors = 16;

// Tables of cells, kCellVectors int32 each: 3^8 = 6561 cells for eight digits of 0, 1, 2, and 8^4 =
// 4096 for four digits of 0 to 7. The cell of digits d_i is the number with these digits in base 3
// or 8, d_0 the lowest one. Cell c has the entries from kCellVectors * c: the code of a vector, as
// in kernels/iq_grids.h, in the low half, its number in the grid in the high half. The nearest come
// first, and of two equally near the one of the lower number. Distances are between digits.
//
// Made when one is first asked for, in some hundredths of a second, and kept for good. Any thread;
// nothing fails but memory.
[[nodiscard]] const std::int32_t* cells_2bit_256();
[[nodiscard]] const std::int32_t* cells_2bit_512();
[[nodiscard]] const std::int32_t* cells_2bit_1024();
[[nodiscard]] const std::int32_t* cells_1bit_2048();
[[nodiscard]] const std::int32_t* cells_3bit_256();
[[nodiscard]] const std::int32_t* cells_3bit_512();

}  // namespace qbuild::kernels
