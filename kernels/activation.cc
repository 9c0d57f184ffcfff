#include "kernels/activation.h"

#include "base/check.h"
#include "kernels/math_table.h"

namespace qbuild::kernels {

void silu_multiply(Backend backend, std::span<const float> up, std::span<float> gate) {
  check(up.size() == gate.size(), "silu: equal sizes");
  math_table(backend).silu_multiply(up.data(), gate.data(), gate.size());
}

void exponential(Backend backend, std::span<float> x) {
  math_table(backend).exponential(x.data(), x.size());
}

void add(Backend backend, std::span<const float> y, std::span<float> x) {
  check(x.size() == y.size(), "add: equal sizes");
  math_table(backend).add(y.data(), x.data(), x.size());
}

}  // namespace qbuild::kernels
