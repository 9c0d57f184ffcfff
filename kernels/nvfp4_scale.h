#pragma once
// NVFP4's second-level scale: a factor for a whole matrix, which files keep beside it. Scale codes
// of sub-blocks have three bits of mantissa from 2^-6 on only, and ordinary weights lie below;
// divided by this factor they do not. A power of two, so that nothing else changes. Source:
// docs/types/four-bits.md. Pure; any thread.

namespace qbuild::kernels {

//   largest  magnitude in the matrix; 1 is returned where it is 0 or no finite number
// Encode x / nvfp4_scale(largest), whose sub-blocks have scales up to 8 to 16, and multiply what is
// decoded by it. A larger scale would leave less room to readers that add products in binary16.
[[nodiscard]] float nvfp4_scale(float largest);

}  // namespace qbuild::kernels
