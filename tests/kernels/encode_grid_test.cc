// What the encoders of the types with grids do with rows that have no place in a small grid.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

std::vector<DType> types_with_grids() {
  std::vector<DType> types;
  for (const Codec& codec : encoders()) {
    if (has_grid(codec.dtype)) types.push_back(codec.dtype);
  }
  return types;
}

double size_of(float value) {
  return std::abs(static_cast<double>(value));
}
double largest(std::span<const float> values) {
  double most = 0;
  for (const float value : values) most = std::max(most, size_of(value));
  return most;
}
std::vector<float> through(DType dtype, std::span<const float> values,
                           const EncodeOptions& options = {}) {
  return decode(best_backend(), dtype, encode(best_backend(), dtype, values, options));
}

// The root of the mean square error relative to that of the values.
double relative_error(std::span<const float> values, std::span<const float> decoded) {
  double error = 0;
  double energy = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    error += std::pow(static_cast<double>(decoded[i]) - static_cast<double>(values[i]), 2);
    energy += std::pow(static_cast<double>(values[i]), 2);
  }
  return std::sqrt(error / energy);
}

TEST(EncodeGrid, OfHostileRowsIsNoFurtherOffThanTheValuesAreLarge) {
  // Where a vector has an odd number of minus signs and all its values are alike, one of them
  // changes its sign; with importance, one that matters little, as far as it may.
  const std::vector<float> importance = golden_importance();
  for (const DType dtype : types_with_grids()) {
    for (const NamedRows& rows : hostile_rows(dtype)) {
      for (const NamedOptions& way : all_options(importance)) {
        const double sizes = way.options.importance.empty() ? 1.4 : 2.2;
        const double bound = sizes * largest(rows.values) + 0x1p-22;
        const auto decoded = through(dtype, rows.values, way.options);
        for (std::size_t i = 0; i < decoded.size(); ++i) {
          ASSERT_LE(size_of(decoded[i] - rows.values[i]), bound)
              << dtype_name(dtype) << ", " << rows.name << ", " << way.name << ", value " << i;
        }
      }
    }
  }
}

TEST(EncodeGrid, KeepsAnOutlierAndTheSizeOfWhatIsAroundIt) {
  std::vector<float> values(256);
  TestNumbers numbers(15);
  for (float& value : values) value = static_cast<float>(0.02 * numbers.bell());
  values[77] = -3;
  for (const DType dtype : types_with_grids()) {
    for (const Effort effort : {Effort::kDefault, Effort::kBest}) {
      const auto decoded = through(dtype, values, {.effort = effort});
      // The smallest grid has no better vector for it among small values.
      EXPECT_NEAR(decoded[77], -3, 1) << dtype_name(dtype);
      for (std::size_t i = 0; i < 256; ++i) {
        // Those of the outlier's own group have its scale.
        if (i / 32 == 77 / 32) continue;
        ASSERT_LT(size_of(decoded[i]), 0.2) << dtype_name(dtype) << ", value " << i;
      }
    }
  }
}

TEST(EncodeGrid, OfDenormalNumbersIsZero) {
  std::vector<float> values(512);
  TestNumbers numbers(16);
  for (float& value : values) value = static_cast<float>(1e-39 * numbers.bell());
  for (const DType dtype : types_with_grids()) {
    for (const float value : through(dtype, values)) ASSERT_EQ(value, 0) << dtype_name(dtype);
  }
}

TEST(EncodeGrid, KeepsValuesForWhichTheSmallestScaleIsTooLargeForTheLargestCodes) {
  // IQ3_S would have the largest of these at level 15 with the scale code 15 for a d that binary16
  // rounds to 0; with its smallest number there are still six bits.
  std::vector<float> values(512);
  TestNumbers numbers(17);
  for (float& value : values) value = static_cast<float>(5e-6 * numbers.bell());
  for (const DType dtype : {DType::kIQ3_S, DType::kIQ3_XXS}) {
    EXPECT_LT(relative_error(values, through(dtype, values)), 0.3) << dtype_name(dtype);
  }
}

TEST(EncodeGrid, NamesTheFirstValueThatIsNotFinite) {
  for (const DType dtype : types_with_grids()) {
    for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
      std::vector<float> values(5120, 0.01F);
      values[4500] = values[5000] = bad;
      std::string message;
      try {
        static_cast<void>(encode(best_backend(), dtype, values));
      } catch (const Error& error) {
        message = error.message();
      }
      EXPECT_EQ(message, "cannot encode " + std::string(dtype_name(dtype)) + ": value 4500 is " +
                             (std::isnan(bad) ? "NaN" : "infinite"));
    }
  }
}

}  // namespace
}  // namespace qbuild::kernels
