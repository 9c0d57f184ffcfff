// How much the encoders lose.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

double relative_error(std::span<const float> values, std::span<const float> decoded) {
  double error = 0;
  double energy = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = static_cast<double>(values[i]);
    const double e = static_cast<double>(decoded[i]) - x;
    error += e * e;
    energy += x * x;
  }
  return std::sqrt(error / energy);
}

double error_of(DType dtype, std::span<const float> values) {
  return relative_error(values,
                        decode(best_backend(), dtype, encode(best_backend(), dtype, values)));
}

// The reference encoders' errors on this data, without importance weights, as printed in
// gguf.md 9.7.
struct Anchor {
  DType dtype;
  double gaussian, laplace;
};
constexpr Anchor kAnchors[] = {
    {DType::kQ4_0, .086054, .106782}, {DType::kQ5_0, .042644, .053465},
    {DType::kQ5_1, .037801, .044340}, {DType::kQ8_0, .005350, .006714},
    {DType::kQ4_K, .071221, .084539}, {DType::kQ5_K, .036074, .042808},
    {DType::kQ6_K, .017776, .021675}, {DType::kF16, .000208, .000208},
    {DType::kBF16, .001662, .001654},
};
constexpr double kPrinted = 0.5e-6;  // the anchors have six digits

TEST(EncodeError, IsAtOrBelowTheReferencesForEveryType) {
  std::vector<float> gaussian(std::size_t{256} * 1024);
  std::vector<float> laplace(gaussian.size());
  TestNumbers first(1);
  TestNumbers second(2);
  for (float& value : gaussian) value = static_cast<float>(0.02 * first.gaussian());
  for (float& value : laplace) value = static_cast<float>(0.02 * second.laplace());
  // The generator is the one that the anchors were measured with.
  ASSERT_FLOAT_EQ(gaussian[0], -0.000564994931F);
  ASSERT_FLOAT_EQ(gaussian[3], -0.0101240817F);
  ASSERT_FLOAT_EQ(laplace[0], 0.02F * 0.142380863F);
  for (const Anchor& anchor : kAnchors) {
    EXPECT_LE(error_of(anchor.dtype, gaussian), anchor.gaussian + kPrinted)
        << dtype_name(anchor.dtype);
    EXPECT_LE(error_of(anchor.dtype, laplace), anchor.laplace + kPrinted)
        << dtype_name(anchor.dtype);
  }
}

// The largest error of a value, as a part of the largest magnitude in its block, and what
// binary16's smallest step allows. K types code a sub-block's scale and minimum coarsely, so their
// bounds are of the super-block.
struct Bound {
  DType dtype;
  double part;
};
constexpr Bound kBounds[] = {
    {DType::kQ8_0, 0.51 / 127}, {DType::kQ4_0, 1.01 / 8}, {DType::kQ5_0, 1.01 / 16},
    {DType::kQ5_1, 1.05 / 31},  {DType::kQ4_K, 1.5 / 15}, {DType::kQ5_K, 1.5 / 31},
    {DType::kQ6_K, 1.01 / 31},
};

TEST(EncodeError, StaysWithinAStepOnHostileRows) {
  for (const Bound& bound : kBounds) {
    const std::size_t block = dtype_info(bound.dtype).block_values;
    for (const NamedRows& rows : hostile_rows(bound.dtype)) {
      const auto decoded =
          decode(best_backend(), bound.dtype, encode(best_backend(), bound.dtype, rows.values));
      for (std::size_t i = 0; i < decoded.size(); ++i) {
        double most = 0;
        const std::size_t first = i / block * block;
        for (std::size_t j = first; j < first + block; ++j) {
          most = std::max(most, std::abs(static_cast<double>(rows.values[j])));
        }
        const double error =
            std::abs(static_cast<double>(decoded[i]) - static_cast<double>(rows.values[i]));
        // A scale or minimum cannot be finer than the smallest step of binary16.
        ASSERT_LE(error, bound.part * most + 0x1p-23)
            << dtype_name(bound.dtype) << ", " << rows.name << ", value " << i;
      }
    }
  }
}

TEST(EncodeError, IsZeroForZeros) {
  for (const Codec& codec : encoders()) {
    const std::vector<float> zeros(512, 0.0F);
    for (const float value :
         decode(best_backend(), codec.dtype, encode(best_backend(), codec.dtype, zeros))) {
      ASSERT_EQ(value, 0.0F) << dtype_name(codec.dtype);
    }
  }
}

TEST(EncodeError, KeepsValuesNearTheSmallestScaleInsteadOfDroppingThem) {
  // 127 steps of binary16's smallest number are about 7.6e-6; half of that still has sixty codes.
  std::vector<float> values(256);
  TestNumbers numbers(5);
  for (float& value : values) value = static_cast<float>(3e-6 * (2 * numbers.uniform() - 1));
  EXPECT_LT(error_of(DType::kQ8_0, values), 0.02);
  EXPECT_LT(error_of(DType::kQ6_K, values), 0.05);
  EXPECT_LT(error_of(DType::kQ4_K, values), 0.15);
}

TEST(EncodeError, OfBothSignsOfAScaleIsTheSame) {
  // The value of largest magnitude gets the end of the codes that has one step more, whatever its
  // sign.
  std::vector<float> values(512);
  TestNumbers numbers(6);
  for (float& value : values) value = static_cast<float>(numbers.bell());
  std::vector<float> mirrored(values.size());
  std::transform(values.begin(), values.end(), mirrored.begin(), [](float v) { return -v; });
  for (const DType dtype : {DType::kQ8_0, DType::kQ4_0, DType::kQ5_0, DType::kQ6_K}) {
    EXPECT_EQ(error_of(dtype, values), error_of(dtype, mirrored)) << dtype_name(dtype);
  }
}

TEST(EncodeError, DoesNotGrowWhenDecodedValuesAreEncodedAgain) {
  std::vector<float> values(2048);
  TestNumbers numbers(8);
  for (float& value : values) value = static_cast<float>(0.02 * numbers.bell());
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0}) {
    const auto once = encode(best_backend(), dtype, values);
    const auto again = encode(best_backend(), dtype, decode(best_backend(), dtype, once));
    EXPECT_LE(
        relative_error(decode(best_backend(), dtype, once), decode(best_backend(), dtype, again)),
        dtype == DType::kQ8_0 ? 3e-4 : 0.0)
        << dtype_name(dtype);
  }
}

}  // namespace
}  // namespace qbuild::kernels
