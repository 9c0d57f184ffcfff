// Compiled for its instruction set alone; chosen at run time by kernels/codec.cc.

#include "kernels/codec_backend_lanes.h"
#include "kernels/codec_lanes_avx2.h"
#include "kernels/codec_table.h"

namespace qbuild::kernels {

const CodecTable& codec_table_avx2() {
  static constexpr CodecTable kTable = BackendCodecs<CodecLanesAvx2>::table();
  return kTable;
}

}  // namespace qbuild::kernels
