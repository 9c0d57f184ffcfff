#include "kernels/dot.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/codec.h"
#include "kernels/matmul_attention.h"
#include "tests/kernels/compute_data.h"

namespace qbuild::kernels {
namespace {

TEST(Matvec, IsWithinItsToleranceOfTheDefinedProduct) {
  ThreadPool pool(2);
  for (const Backend backend : all_backends()) {
    if (!backend_obstacle(backend).empty()) continue;
    for (const DType dtype : product_dtypes()) {
      const OwnedWeight w = make_weight(dtype, 33, 768, 3);
      const std::vector<float> x = bell_values(768, 4);
      const PackedActivations packed(backend, pool,
                                     activation_form(dtype, ActivationMode::kReference), x, 1, 768);
      std::vector<float> want(33);
      std::vector<float> got(33);
      matmul(backend, pool, w.view(), packed, want);
      matvec(backend, pool, w.view(), x, got);
      std::vector<float> weights(33 * 768);
      decode_rows(backend, dtype, w.bytes, weights);
      for (std::size_t r = 0; r < 33; ++r) {
        float magnitude = 0;
        for (std::size_t k = 0; k < 768; ++k) magnitude += std::abs(x[k] * weights[r * 768 + k]);
        EXPECT_NEAR(got[r], want[r], magnitude * kDotTolerance)
            << backend_name(backend) << dtype_name(dtype);
      }
    }
  }
}

TEST(Matvec, TakesAnOddNumberOfBlocksAndManyThreads) {
  ThreadPool pool(3);
  const OwnedWeight w = make_weight(DType::kQ8_0, 12000, 96, 3);
  const std::vector<float> x = bell_values(96, 4);
  std::vector<float> got(12000);
  std::vector<float> want(12000);
  matvec(best_backend(), pool, w.view(), x, got);
  matvec(Backend::kScalar, pool, w.view(), x, want);
  for (std::size_t r = 0; r < 12000; ++r) EXPECT_NEAR(got[r], want[r], 1e-3F);
}

TEST(AttendOne, IsNearTheDefinedAttention) {
  const AttentionShape shape{4, 2, 40, 0.16F};
  const std::vector<float> query = bell_values(160, 1);
  const std::vector<float> keys = bell_values(70 * 80, 2);
  const std::vector<float> values = bell_values(70 * 80, 3);
  ThreadPool pool(1);
  std::vector<float> want(160);
  std::vector<float> got(160);
  attention(best_backend(), pool, shape, query, 1, 69, keys, values, want);
  attend_one(best_backend(), shape, query, 70, keys, values, got);
  for (std::size_t i = 0; i < 160; ++i) EXPECT_NEAR(got[i], want[i], 1e-6F);
}

}  // namespace
}  // namespace qbuild::kernels
