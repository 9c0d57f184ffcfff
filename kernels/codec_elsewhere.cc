// On processors of other makers there is the scalar backend alone; kernels/processor.cc offers no
// other, so these are asked for by nobody.

#include "kernels/codec_table.h"

namespace qbuild::kernels {

const CodecTable& codec_table_avx2() {
  return codec_table_scalar();
}
const CodecTable& codec_table_avx512() {
  return codec_table_scalar();
}

}  // namespace qbuild::kernels
