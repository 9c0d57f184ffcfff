#include "kernels/nvfp4_scale.h"

#include <algorithm>
#include <cmath>

namespace qbuild::kernels {

float nvfp4_scale(float largest) {
  // Six is the largest level, eight what the largest scale of a sub-block is at least.
  constexpr float kLeast = 6 * 8;
  // Neither the factor nor its inverse is denormal.
  constexpr int kFurthest = 125;
  if (!(largest > 0) || !std::isfinite(largest)) return 1;
  int exponent = 0;
  std::frexp(largest / kLeast, &exponent);
  return std::ldexp(1.0F, std::clamp(exponent - 1, -kFurthest, kFurthest));
}

}  // namespace qbuild::kernels
