#include "kernels/backend.h"

#include <array>

#include "base/error.h"
#include "base/nearest_word.h"
#include "kernels/processor.h"

namespace qbuild::kernels {
namespace {

constexpr std::array kBackends{Backend::kScalar, Backend::kAvx2, Backend::kAvx512};
constexpr std::array<std::string_view, 3> kNames{"scalar", "avx2", "avx512"};

}  // namespace

std::span<const Backend> all_backends() {
  return kBackends;
}

std::string_view backend_name(Backend backend) {
  return kNames[static_cast<std::size_t>(backend)];
}

std::string backend_obstacle(Backend backend) {
  if (backend == Backend::kScalar) return "";
  const auto features = processor_features();
  if (features.empty()) return "this program was built for another architecture";
  std::string lacking;
  for (const ProcessorFeature& feature : features) {
    if (feature.since <= backend && !feature.present) lacking.append(" ").append(feature.name);
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
