#pragma once
// The grids of the types IQ1, IQ2 and IQ3: which vectors of magnitudes their codes stand for. They
// were published with the types, found by clustering the weights of models; no formula gives them.
// What a digit stands for depends on the type. Source: llama.cpp's tables; docs/types/grids.md.

#include <cstddef>
#include <cstdint>

namespace qbuild::kernels {

// One code for each vector, ascending; a vector's number is its place.
template <std::size_t kCount>
struct Grid {
  std::uint16_t codes[kCount];
};

// Eight elements a vector: digit i is bits 2i and 2i + 1, one of 0, 1, 2.
extern const Grid<256> kGrid2Bit256;    // IQ2_XXS: magnitudes 8, 25, 43
extern const Grid<512> kGrid2Bit512;    // IQ2_XS: the same
extern const Grid<1024> kGrid2Bit1024;  // IQ2_S: the same
extern const Grid<2048> kGrid1Bit2048;  // IQ1_S, IQ1_M: elements -1, 0, 1

// Four elements a vector: digit i is bits 3i to 3i + 2, 0 to 7.
extern const Grid<256> kGrid3Bit256;  // IQ3_XXS: magnitudes 4, 12, 20, 28, 36, 44, 52, 62
extern const Grid<512> kGrid3Bit512;  // IQ3_S: magnitudes 1, 3, 5, 7, 9, 11, 13, 15

}  // namespace qbuild::kernels
