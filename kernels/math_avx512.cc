// Compiled for its instruction set alone; chosen at run time by kernels/math_table.cc.

#include "kernels/dot_lanes.h"
#include "kernels/math_backend_lanes.h"
#include "kernels/math_lanes_avx512.h"
#include "kernels/math_table.h"
#include "kernels/matmul_f32_lanes.h"
#include "kernels/matmul_packed_lanes.h"

namespace qbuild::kernels {

const MathTable& math_table_avx512() {
  static constexpr MathTable kTable = SharedKernels<LanesAvx512>::table(
      multiply_f32_lanes<LanesAvx512>, PackedKernels<LanesAvx512>::multiply,
      DotKernels<LanesAvx512>::dot);
  return kTable;
}

}  // namespace qbuild::kernels
