// A processor that has everything, in place of kernels/processor.cc. AVX2 must be there in truth.

#include "kernels/processor.h"

#include <array>

namespace qbuild::kernels {

std::span<const ProcessorFeature> processor_features() {
  static const std::array kFeatures{
      ProcessorFeature{"avx2", __builtin_cpu_supports("avx2") != 0, Backend::kAvx2},
      ProcessorFeature{"fma", __builtin_cpu_supports("fma") != 0, Backend::kAvx2}};
  return kFeatures;
}

}  // namespace qbuild::kernels
