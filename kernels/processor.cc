#include "kernels/processor.h"

#include <array>

namespace qbuild::kernels {

// The one place that asks the processor. __builtin_cpu_supports also asks whether the system saves
// the wide registers.
std::span<const ProcessorFeature> processor_features() {
#if defined(__x86_64__)
  static const std::array kFeatures{
      ProcessorFeature{"avx2", __builtin_cpu_supports("avx2") != 0, Backend::kAvx2},
      ProcessorFeature{"fma", __builtin_cpu_supports("fma") != 0, Backend::kAvx2},
      // Clang 14 has no word for f16c here; every processor with AVX2 has it.
      ProcessorFeature{"avx512f", __builtin_cpu_supports("avx512f") != 0, Backend::kAvx512},
      ProcessorFeature{"avx512bw", __builtin_cpu_supports("avx512bw") != 0, Backend::kAvx512},
      ProcessorFeature{"avx512dq", __builtin_cpu_supports("avx512dq") != 0, Backend::kAvx512},
      ProcessorFeature{"avx512vl", __builtin_cpu_supports("avx512vl") != 0, Backend::kAvx512}};
  return kFeatures;
#else
  return {};
#endif
}

}  // namespace qbuild::kernels
