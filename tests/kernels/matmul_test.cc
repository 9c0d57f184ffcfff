#include "kernels/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/codec.h"
#include "kernels/math_table.h"
#include "tests/kernels/compute_data.h"

namespace qbuild::kernels {
namespace {

std::vector<float> multiply(Backend backend, unsigned threads, const OwnedWeight& w,
                            ActivationMode mode, std::span<const float> x) {
  ThreadPool pool(threads);
  const std::size_t tokens = x.size() / w.columns;
  const PackedActivations packed(backend, pool, activation_form(w.dtype, mode), x, tokens,
                                 w.columns);
  std::vector<float> out(tokens * w.rows);
  matmul(backend, pool, w.view(), packed, out);
  return out;
}

class Products : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (const std::string obstacle = backend_obstacle(GetParam()); !obstacle.empty()) {
      GTEST_SKIP() << backend_name(GetParam()) << ": " << obstacle;
    }
  }
};

TEST_P(Products, EqualTheScalarOnesToTheLastBit) {
  for (const DType dtype : product_dtypes()) {
    for (const ActivationMode mode : {ActivationMode::kReference, ActivationMode::kF32}) {
      const OwnedWeight w = make_weight(dtype, 29, 512, 3);
      const std::vector<float> x = bell_values(37 * 512, 4);
      EXPECT_TRUE(
          same_bits(multiply(Backend::kScalar, 1, w, mode, x), multiply(GetParam(), 1, w, mode, x)))
          << dtype_name(dtype);
    }
  }
}

TEST_P(Products, EqualTheScalarOnesForCodesOfAnyBytes) {
  for (const DType dtype : product_dtypes()) {
    if (dtype_info(dtype).block_values == 1) continue;
    OwnedWeight w = make_weight(dtype, 8, 512, 3);
    const std::vector<float> noise = bell_values(w.bytes.size(), 9);
    for (std::size_t i = 0; i < w.bytes.size(); ++i) {
      w.bytes[i] = static_cast<std::byte>(static_cast<int>(noise[i] * 512.0F) & 0xff);
    }
    std::vector<float> x = bell_values(16 * 512, 4);
    // The largest codes of activations everywhere in one token, with both signs.
    for (std::size_t k = 0; k < 512; ++k) x[k] = k % 3 == 0 ? -1.0F : 1.0F;
    const auto mode = ActivationMode::kReference;
    EXPECT_TRUE(
        same_bits(multiply(Backend::kScalar, 1, w, mode, x), multiply(GetParam(), 1, w, mode, x)))
        << dtype_name(dtype);
  }
}

TEST_P(Products, EqualTheScalarOnesForOddSizes) {
  for (const std::size_t columns : {1U, 31U, 255U, 256U, 257U, 700U}) {
    const OwnedWeight w = make_weight(DType::kF32, 13, columns, 3);
    const std::vector<float> x = bell_values(17 * columns, 4);
    EXPECT_TRUE(same_bits(multiply(Backend::kScalar, 1, w, ActivationMode::kF32, x),
                          multiply(GetParam(), 1, w, ActivationMode::kF32, x)))
        << columns;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Products, testing::ValuesIn(vector_backends()),
                         [](const auto& test) { return backend_label(test.param); });

TEST(Product, IsAChainOfFmaInBlocksOf256) {
  const OwnedWeight w = make_weight(DType::kF32, 3, 600, 3);
  const std::vector<float> x = bell_values(600, 4);
  std::vector<float> weights(3 * 600);
  decode_rows(Backend::kScalar, DType::kF32, w.bytes, weights);
  const std::vector<float> got = multiply(best_backend(), 1, w, ActivationMode::kF32, x);
  for (std::size_t r = 0; r < 3; ++r) {
    float total = 0;
    for (std::size_t begin = 0; begin < 600; begin += 256) {
      float chain = 0;
      for (std::size_t k = begin; k < std::min<std::size_t>(begin + 256, 600); ++k) {
        chain = std::fma(x[k], weights[r * 600 + k], chain);
      }
      total += chain;
    }
    EXPECT_EQ(got[r], total);
  }
}

TEST(Product, OfPackedWeightsIsNearTheExactOne) {
  for (const DType dtype : product_dtypes()) {
    const OwnedWeight w = make_weight(dtype, 5, 512, 3);
    const std::vector<float> x = bell_values(512, 4);
    std::vector<float> weights(5 * 512);
    decode_rows(Backend::kScalar, dtype, w.bytes, weights);
    const std::vector<float> got = multiply(best_backend(), 1, w, ActivationMode::kReference, x);
    for (std::size_t r = 0; r < 5; ++r) {
      double exact = 0;
      double magnitude = 0;
      for (std::size_t k = 0; k < 512; ++k) {
        const double product =
            static_cast<double>(x[k]) * static_cast<double>(weights[r * 512 + k]);
        exact += product;
        magnitude += std::abs(product);
      }
      // Activations are rounded to 8 bits of the largest in their block, at most.
      EXPECT_NEAR(static_cast<double>(got[r]), exact, magnitude * 2e-3) << dtype_name(dtype);
    }
  }
}

TEST(Product, OfATokenDoesNotDependOnItsCompany) {
  for (const DType dtype : product_dtypes()) {
    const OwnedWeight w = make_weight(dtype, 7, 256, 3);
    const std::vector<float> x = bell_values(33 * 256, 4);
    const auto mode = ActivationMode::kReference;
    const std::vector<float> all = multiply(best_backend(), 1, w, mode, x);
    for (const std::size_t t : {0U, 15U, 16U, 32U}) {
      const auto alone = multiply(best_backend(), 1, w, mode, std::span(x).subspan(t * 256, 256));
      EXPECT_TRUE(same_bits(alone, std::span(all).subspan(t * 7, 7))) << dtype_name(dtype) << t;
    }
  }
}

TEST(Product, DoesNotDependOnTheNumberOfThreads) {
  const OwnedWeight w = make_weight(DType::kQ4_K, 1100, 256, 3);
  const std::vector<float> x = bell_values(40 * 256, 4);
  const auto mode = ActivationMode::kReference;
  const std::vector<float> one = multiply(best_backend(), 1, w, mode, x);
  for (const unsigned threads : {2U, 3U, 5U}) {
    EXPECT_TRUE(same_bits(one, multiply(best_backend(), threads, w, mode, x))) << threads;
  }
}

TEST(Product, IsNotANumberForATokenThatHasOne) {
  for (const DType dtype : product_dtypes()) {
    const OwnedWeight w = make_weight(dtype, 4, 256, 3);
    std::vector<float> x = bell_values(2 * 256, 4);
    x[256 + 100] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> got = multiply(best_backend(), 1, w, ActivationMode::kReference, x);
    for (std::size_t r = 0; r < 4; ++r) {
      EXPECT_TRUE(std::isfinite(got[r])) << dtype_name(dtype);
      EXPECT_TRUE(std::isnan(got[4 + r])) << dtype_name(dtype);
    }
  }
}

TEST(ActivationForms, AreThoseOfTheReference) {
  const auto form = [](DType dtype) { return activation_form(dtype, ActivationMode::kReference); };
  EXPECT_EQ(form(DType::kF32), ActivationForm::kF32);
  EXPECT_EQ(form(DType::kF16), ActivationForm::kF16);
  EXPECT_EQ(form(DType::kBF16), ActivationForm::kBF16);
  EXPECT_EQ(form(DType::kQ8_0), ActivationForm::kQ8_0);
  for (const DType dtype : {DType::kQ4_0, DType::kQ5_0, DType::kQ1_0, DType::kQ2_0, DType::kIQ4_NL,
                            DType::kMXFP4, DType::kNVFP4}) {
    EXPECT_EQ(form(dtype), ActivationForm::kQ8_0) << dtype_name(dtype);
  }
  for (const DType dtype : {DType::kQ4_1, DType::kQ5_1}) {
    EXPECT_EQ(form(dtype), ActivationForm::kQ8_1) << dtype_name(dtype);
  }
  for (const DType dtype :
       {DType::kQ2_K, DType::kQ3_K, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K, DType::kIQ4_XS,
        DType::kIQ3_S, DType::kIQ3_XXS, DType::kIQ2_S, DType::kIQ2_XS, DType::kIQ2_XXS,
        DType::kIQ1_S, DType::kIQ1_M, DType::kTQ1_0, DType::kTQ2_0}) {
    EXPECT_EQ(form(dtype), ActivationForm::kQ8_K) << dtype_name(dtype);
  }
  EXPECT_EQ(activation_form(DType::kQ6_K, ActivationMode::kF32), ActivationForm::kF32);
  EXPECT_FALSE(has_product(DType::kI32));
}

}  // namespace
}  // namespace qbuild::kernels
