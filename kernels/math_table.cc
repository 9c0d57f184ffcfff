#include "kernels/math_table.h"

namespace qbuild::kernels {

const MathTable& math_table(Backend backend) {
  switch (backend) {
    case Backend::kAvx512:
      return math_table_avx512();
    case Backend::kAvx2:
      return math_table_avx2();
    default:
      return math_table_scalar();
  }
}

}  // namespace qbuild::kernels
