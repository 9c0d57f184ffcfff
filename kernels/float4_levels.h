#pragma once
// What the sixteen codes of types of four bits stand for where that is no even grid. Source:
// llama.cpp, and OCP MX for E2M1; docs/types/four-bits.md.

#include <cstdint>

namespace qbuild::kernels {

// IQ4_NL and IQ4_XS: denser near zero, as weights are.
inline constexpr std::int8_t kFourBitLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                   1,    13,   25,  38,  53,  69,  89,  113};

// MXFP4 and NVFP4: twice the numbers of E2M1, whose bit 3 is the sign. They are whole numbers, so
// that code 8 is zero and not its negative, as in the reference.
inline constexpr std::int8_t kFloat4Doubles[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                                   0, -1, -2, -3, -4, -6, -8, -12};

}  // namespace qbuild::kernels
