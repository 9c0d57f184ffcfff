#pragma once

namespace qbuild::kernels {

// One number for each half of something.
struct Halves {
  float first, second;
};

}  // namespace qbuild::kernels
