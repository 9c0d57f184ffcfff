// Compiled for its instruction set alone; chosen at run time by kernels/codec.cc.

#include "kernels/codec_backend_lanes.h"
#include "kernels/codec_lanes_avx512.h"
#include "kernels/codec_table.h"

namespace qbuild::kernels {

const CodecTable& codec_table_avx512() {
  static constexpr CodecTable kTable = BackendCodecs<CodecLanesAvx512>::table();
  return kTable;
}

}  // namespace qbuild::kernels
