#include "kernels/norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/compute_data.h"

namespace qbuild::kernels {
namespace {

TEST(RmsNorm, DividesByTheRootOfTheMeanSquare) {
  const std::vector<float> x = {3.0F, -4.0F, 0.0F, 0.0F};
  const std::vector<float> weight = {1.0F, 2.0F, 1.0F, 1.0F};
  std::vector<float> out(4);
  rms_norm(Backend::kScalar, x, weight, 0.0F, out);
  EXPECT_FLOAT_EQ(out[0], 3.0F / 2.5F);
  EXPECT_FLOAT_EQ(out[1], -8.0F / 2.5F);
  EXPECT_EQ(out[2], 0.0F);
}

TEST(RmsNorm, TakesWholeRowsAndMayWorkInPlace) {
  const std::vector<float> weight = bell_values(20, 1);
  std::vector<float> rows = bell_values(60, 2);
  std::vector<float> last(20);
  rms_norm(best_backend(), std::span(rows).subspan(40), weight, 1e-5F, last);
  rms_norm(best_backend(), rows, weight, 1e-5F, rows);
  EXPECT_TRUE(same_bits(std::span(rows).subspan(40), last));
}

TEST(RmsNorm, OfZerosIsZero) {
  const std::vector<float> weight(33, 2.0F);
  std::vector<float> row(33, 0.0F);
  rms_norm(best_backend(), row, weight, 1e-6F, row);
  for (const float x : row) EXPECT_EQ(x, 0.0F);
}

}  // namespace
}  // namespace qbuild::kernels
