// The definition: compiled for the baseline processor.

#include "kernels/codec_backend_lanes.h"
#include "kernels/codec_lanes_scalar.h"
#include "kernels/codec_table.h"

namespace qbuild::kernels {

const CodecTable& codec_table_scalar() {
  static constexpr CodecTable kTable = BackendCodecs<CodecLanesScalar>::table();
  return kTable;
}

}  // namespace qbuild::kernels
