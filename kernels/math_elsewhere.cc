// On processors of other makers there is the scalar backend alone; kernels/processor.cc offers no
// other, so these are asked for by nobody.

#include "kernels/math_table.h"

namespace qbuild::kernels {

const MathTable& math_table_avx2() {
  return math_table_scalar();
}
const MathTable& math_table_avx512() {
  return math_table_scalar();
}

}  // namespace qbuild::kernels
