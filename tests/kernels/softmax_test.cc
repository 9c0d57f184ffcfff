#include "kernels/softmax.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/kernels/compute_data.h"

namespace qbuild::kernels {
namespace {

TEST(Softmax, OfEqualValuesIsUniform) {
  std::vector<float> row(8, 1000.0F);
  softmax(best_backend(), row);
  for (const float x : row) EXPECT_EQ(x, 0.125F);
}

TEST(Softmax, SumsToOneAndKeepsTheOrder) {
  std::vector<float> row = bell_values(1001, 3);
  const std::vector<float> before = row;
  softmax(best_backend(), row);
  double sum = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    sum += static_cast<double>(row[i]);
    EXPECT_EQ(row[i] > row[0], before[i] > before[0]) << i;
  }
  EXPECT_NEAR(sum, 1.0, 1e-6);
}

TEST(Softmax, TakesAnEmptyRow) {
  std::vector<float> row;
  softmax(best_backend(), row);
  EXPECT_TRUE(row.empty());
}

TEST(NegativeLogLikelihood, IsTheLogOfTheSumLessTheToken) {
  const std::vector<float> logits = {1.0F, 2.0F, 4.0F};
  const double sum = std::exp(-3.0) + std::exp(-2.0) + 1;
  EXPECT_NEAR(negative_log_likelihood(Backend::kScalar, logits, 0), std::log(sum) + 3, 1e-7);
  EXPECT_NEAR(negative_log_likelihood(Backend::kScalar, logits, 2), std::log(sum), 1e-7);
}

TEST(NegativeLogLikelihood, HasTheSameBitsOnEveryBackend) {
  const std::vector<float> logits = bell_values(5003, 6);
  const double want = negative_log_likelihood(Backend::kScalar, logits, 77);
  for (const Backend backend : vector_backends()) {
    if (!backend_obstacle(backend).empty()) continue;
    EXPECT_EQ(negative_log_likelihood(backend, logits, 77), want);
  }
}

TEST(NegativeLogLikelihood, IsNotANumberWhenALogitIs) {
  std::vector<float> logits = bell_values(50, 6);
  logits[31] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(negative_log_likelihood(best_backend(), logits, 3)));
}

}  // namespace
}  // namespace qbuild::kernels
