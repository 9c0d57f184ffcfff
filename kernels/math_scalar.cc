// The definition: plain arrays for lanes, plain loops for products.

#include "kernels/dot_scalar.h"
#include "kernels/math_backend_lanes.h"
#include "kernels/math_lanes_scalar.h"
#include "kernels/math_table.h"
#include "kernels/matmul_scalar.h"

namespace qbuild::kernels {

const MathTable& math_table_scalar() {
  static constexpr MathTable kTable = SharedKernels<LanesScalar>::table(
      multiply_f32_scalar, multiply_packed_scalar, dot_packed_scalar);
  return kTable;
}

}  // namespace qbuild::kernels
