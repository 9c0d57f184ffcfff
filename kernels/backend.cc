#include "kernels/backend.h"

#include <array>

#include "base/error.h"
#include "base/nearest_word.h"

namespace qbuild::kernels {
namespace {

constexpr std::array kBackends{Backend::kScalar, Backend::kAvx2, Backend::kAvx512};
constexpr std::array<std::string_view, 3> kNames{"scalar", "avx2", "avx512"};

struct Feature {
  std::string_view name;
  bool present;
  Backend since;  // needed by this backend and those after it
};

// The one place that asks the processor. __builtin_cpu_supports also asks whether the system saves
// the wide registers.
#if defined(__x86_64__)
constexpr bool kRightArchitecture = true;

std::array<Feature, 6> features() {
  return {Feature{"avx2", __builtin_cpu_supports("avx2") != 0, Backend::kAvx2},
          Feature{"fma", __builtin_cpu_supports("fma") != 0, Backend::kAvx2},
          // Clang 14 has no word for f16c here; every processor with AVX2 has it.
          Feature{"avx512f", __builtin_cpu_supports("avx512f") != 0, Backend::kAvx512},
          Feature{"avx512bw", __builtin_cpu_supports("avx512bw") != 0, Backend::kAvx512},
          Feature{"avx512dq", __builtin_cpu_supports("avx512dq") != 0, Backend::kAvx512},
          Feature{"avx512vl", __builtin_cpu_supports("avx512vl") != 0, Backend::kAvx512}};
}
#else
constexpr bool kRightArchitecture = false;

std::array<Feature, 0> features() {
  return {};
}
#endif

}  // namespace

std::span<const Backend> all_backends() {
  return kBackends;
}

std::string_view backend_name(Backend backend) {
  return kNames[static_cast<std::size_t>(backend)];
}

std::string backend_obstacle(Backend backend) {
  if (backend == Backend::kScalar) return "";
  if (!kRightArchitecture) return "this program was built for another architecture";
  std::string lacking;
  for (const Feature& feature : features()) {
    if (feature.since <= backend && !feature.present) lacking += " " + std::string(feature.name);
  }
  return lacking.empty() ? "" : "this processor lacks" + lacking;
}

Backend best_backend() {
  Backend best = Backend::kScalar;
  for (const Backend backend : kBackends) {
    if (backend_obstacle(backend).empty()) best = backend;
  }
  return best;
}

Backend backend_from_name(std::string_view name) {
  for (const Backend backend : kBackends) {
    if (backend_name(backend) != name) continue;
    const std::string obstacle = backend_obstacle(backend);
    if (!obstacle.empty()) {
      throw Error(ErrorKind::kUnsupported, "backend \"" + std::string(name) + "\": " + obstacle +
                                               "; the fastest it can run is \"" +
                                               std::string(backend_name(best_backend())) + "\"");
    }
    return backend;
  }
  throw Error(ErrorKind::kInvalidInput, "unknown backend \"" + std::string(name) + "\"" +
                                            did_you_mean(name, kNames) +
                                            " (there are scalar, avx2 and avx512)");
}

}  // namespace qbuild::kernels
