#include "kernels/norm.h"

#include "base/check.h"
#include "kernels/math_table.h"

namespace qbuild::kernels {

void rms_norm(Backend backend, std::span<const float> x, std::span<const float> weight,
              float epsilon, std::span<float> out) {
  const std::size_t width = weight.size();
  check(width > 0 && x.size() % width == 0 && out.size() == x.size(), "norm: whole rows");
  const MathTable& table = math_table(backend);
  for (std::size_t at = 0; at < x.size(); at += width) {
    table.rms_norm(x.data() + at, weight.data(), width, epsilon, out.data() + at);
  }
}

}  // namespace qbuild::kernels
