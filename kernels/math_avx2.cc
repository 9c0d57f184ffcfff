// Compiled for its instruction set alone; chosen at run time by kernels/math_table.cc.

#include "kernels/dot_lanes.h"
#include "kernels/math_backend_lanes.h"
#include "kernels/math_lanes_avx2.h"
#include "kernels/math_table.h"
#include "kernels/matmul_f32_lanes.h"
#include "kernels/matmul_packed_lanes.h"

namespace qbuild::kernels {

const MathTable& math_table_avx2() {
  static constexpr MathTable kTable = SharedKernels<LanesAvx2>::table(
      multiply_f32_lanes<LanesAvx2>, PackedKernels<LanesAvx2>::multiply,
      DotKernels<LanesAvx2>::dot);
  return kTable;
}

}  // namespace qbuild::kernels
