// How much the encoders lose.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/nvfp4_scale.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

// The root of the mean square error relative to that of the values, both weighted by `importance`
// of the columns, if there is any.
double relative_error(std::span<const float> values, std::span<const float> decoded,
                      std::span<const float> importance = {}) {
  double error = 0;
  double energy = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double w =
        importance.empty() ? 1 : static_cast<double>(importance[i % importance.size()]);
    const double x = static_cast<double>(values[i]);
    const double e = static_cast<double>(decoded[i]) - x;
    error += w * e * e;
    energy += w * x * x;
  }
  return std::sqrt(error / energy);
}

double error_of(DType dtype, std::span<const float> values, const EncodeOptions& options = {}) {
  const auto bytes = encode(best_backend(), dtype, values, options);
  return relative_error(values, decode(best_backend(), dtype, bytes), options.importance);
}

// The data of docs/types/encoders.md: 256 rows of 1024 columns.
struct AnchorData {
  std::vector<float> gaussian = std::vector<float>(std::size_t{256} * 1024);
  std::vector<float> laplace = std::vector<float>(std::size_t{256} * 1024);
  std::vector<float> importance = std::vector<float>(1024);

  AnchorData() {
    TestNumbers first(1);
    TestNumbers second(2);
    TestNumbers third(3);
    for (float& value : gaussian) value = static_cast<float>(0.02 * first.gaussian());
    for (float& value : laplace) value = static_cast<float>(0.02 * second.laplace());
    for (float& one : importance) one = static_cast<float>(std::exp(third.gaussian()));
  }
};

// Errors on this data: Gaussian values without and with importance, then Laplace values.
struct Anchor {
  DType dtype;
  double gaussian, gaussian_weighted, laplace, laplace_weighted;
};
constexpr double kPrinted = 0.5e-6;  // the anchors have six digits

void expect_at_or_below(const Anchor& anchor, Effort effort) {
  static const AnchorData kData;
  const EncodeOptions plain{.effort = effort};
  const EncodeOptions weighted{.importance = kData.importance, .effort = effort};
  const auto expect = [&](std::span<const float> values, const EncodeOptions& options,
                          double bound) {
    EXPECT_LE(error_of(anchor.dtype, values, options), bound + kPrinted)
        << dtype_name(anchor.dtype);
  };
  expect(kData.gaussian, plain, anchor.gaussian);
  expect(kData.gaussian, weighted, anchor.gaussian_weighted);
  expect(kData.laplace, plain, anchor.laplace);
  expect(kData.laplace, weighted, anchor.laplace_weighted);
}

TEST(EncodeError, TypesThatUseImportanceAreThoseWhoseBytesDependOnIt) {
  const AnchorData data;
  for (const Codec& codec : all_codecs()) {
    if (!codec.can_encode()) continue;
    const auto plain = encode(best_backend(), codec.dtype, data.laplace, {});
    const auto weighted =
        encode(best_backend(), codec.dtype, data.laplace, {.importance = data.importance});
    EXPECT_EQ(plain != weighted, uses_importance(codec.dtype)) << dtype_name(codec.dtype);
  }
}

TEST(EncodeError, AnchorsWereMeasuredWithTheseNumbers) {
  const AnchorData data;
  ASSERT_FLOAT_EQ(data.gaussian[0], -0.000564994931F);
  ASSERT_FLOAT_EQ(data.gaussian[3], -0.0101240817F);
  ASSERT_FLOAT_EQ(data.laplace[0], 0.02F * 0.142380863F);
  ASSERT_FLOAT_EQ(data.importance[0], 0.526738226F);
}

// The reference encoders' errors (docs/types/encoders.md). There are none with importance for F16
// and BF16, which have nothing to choose: theirs are those without, and a little for the weights'
// chance. It refuses IQ2_XXS, IQ2_XS and IQ1_S without importance: their bounds there are ours.
constexpr Anchor kReference[] = {
    {DType::kQ4_0, .086054, .077555, .106782, .098987},
    {DType::kQ4_1, .078047, .063738, .091872, .075563},
    {DType::kQ5_0, .042644, .038415, .053465, .049647},
    {DType::kQ5_1, .037801, .030837, .044340, .036613},
    {DType::kQ8_0, .005350, .005336, .006714, .006714},
    {DType::kQ2_K, .296303, .236080, .344083, .265857},
    {DType::kQ3_K, .150628, .134401, .176080, .159396},
    {DType::kQ4_K, .071221, .064760, .084539, .077013},
    {DType::kQ5_K, .036074, .032879, .042808, .039506},
    {DType::kQ6_K, .017776, .016176, .021675, .020088},
    {DType::kIQ4_NL, .076044, .070303, .087705, .081494},
    {DType::kIQ4_XS, .076650, .071033, .088400, .082493},
    {DType::kIQ3_S, .166070, .120156, .196462, .138477},
    {DType::kIQ3_XXS, .212435, .153749, .247188, .168053},
    {DType::kIQ2_S, .265248, .225553, .324334, .269003},
    {DType::kIQ2_XS, .2900, .260469, .3110, .293418},
    {DType::kIQ2_XXS, .3360, .298115, .3680, .338315},
    {DType::kIQ1_S, .4500, .441076, .5025, .492833},
    {DType::kIQ1_M, .583458, .390750, .585242, .418495},
    {DType::kTQ1_0, .808860, .807239, .831717, .832694},
    {DType::kTQ2_0, .808860, .807239, .831717, .832694},
    {DType::kMXFP4, .114092, .114401, .126936, .127404},
    {DType::kNVFP4, .103178, .102804, .100718, .100705},
    {DType::kQ1_0, .600184, .600493, .704399, .704004},
    {DType::kQ2_0, .718584, .717352, .726164, .726874},
    {DType::kF16, .000208, .000209, .000208, .000209},
    {DType::kBF16, .001662, .001665, .001654, .001665},
};

TEST(EncodeError, IsAtOrBelowTheReferencesForEveryType) {
  for (const Anchor& anchor : kReference) {
    expect_at_or_below(anchor, Effort::kDefault);
    expect_at_or_below(anchor, Effort::kBest);
  }
}

// What joint refinement of scales and codes reached, or for the last ones a search where the
// reference has none (docs/types/encoders.md).
constexpr Anchor kJointRefinement[] = {
    {DType::kQ2_K, .261882, .228408, .290335, .252925},
    {DType::kQ3_K, .143632, .133152, .168152, .156557},
    {DType::kQ4_K, .069536, .063435, .082269, .075077},
    {DType::kQ5_K, .034205, .031184, .040460, .036986},
    {DType::kQ6_K, .016833, .015493, .020608, .019242},
    {DType::kIQ4_XS, .075195, .070276, .086642, .081362},
    {DType::kMXFP4, .111500, .110936, .122903, .121977},
    {DType::kNVFP4, .089127, .081871, .089964, .083231},
    {DType::kQ1_0, .600184, .596915, .704399, .699865},
    {DType::kQ2_0, .349933, .330890, .399790, .372313},
};

TEST(EncodeError, OfTheBestEffortIsAtOrBelowJointRefinements) {
  for (const Anchor& anchor : kJointRefinement) expect_at_or_below(anchor, Effort::kBest);
}

// ik_llama.cpp's encoders, the fork that searches further, with importance only
// (docs/types/encoders.md).
struct Fork {
  DType dtype;
  double gaussian_weighted, laplace_weighted;
};
constexpr Fork kFork[] = {
    {DType::kQ4_0, .077219, .098791},   {DType::kQ4_1, .063472, .075280},
    {DType::kQ5_0, .037951, .049210},   {DType::kQ2_K, .236660, .267010},
    {DType::kQ3_K, .133838, .159082},   {DType::kQ4_K, .065000, .077577},
    {DType::kQ5_K, .034001, .041619},   {DType::kQ6_K, .015696, .019602},
    {DType::kIQ4_NL, .068796, .080195}, {DType::kIQ4_XS, .069619, .081226},
    {DType::kIQ2_XS, .254032, .284312}, {DType::kIQ1_M, .383219, .411049},
};

TEST(EncodeError, OfTheBestEffortIsAtOrBelowThatOfTheFork) {
  const AnchorData data;
  for (const Fork& fork : kFork) {
    const EncodeOptions options{.importance = data.importance, .effort = Effort::kBest};
    EXPECT_LE(error_of(fork.dtype, data.gaussian, options), fork.gaussian_weighted + kPrinted)
        << dtype_name(fork.dtype);
    EXPECT_LE(error_of(fork.dtype, data.laplace, options), fork.laplace_weighted + kPrinted)
        << dtype_name(fork.dtype);
  }
}

// What a plain search of scale codes reached with a factor for the whole tensor.
TEST(EncodeError, OfNvfp4WithItsSecondLevelScaleIsAtOrBelowASearchs) {
  const AnchorData data;
  const auto error = [&data](std::span<const float> values, bool is_weighted, Effort effort) {
    std::vector<float> scaled(values.begin(), values.end());
    float largest = 0;
    for (const float value : values) largest = std::max(largest, std::abs(value));
    for (float& value : scaled) value /= nvfp4_scale(largest);
    return error_of(DType::kNVFP4, scaled,
                    {.importance = is_weighted ? std::span<const float>(data.importance)
                                               : std::span<const float>(),
                     .effort = effort});
  };
  for (const Effort effort : {Effort::kDefault, Effort::kBest}) {
    EXPECT_LE(error(data.gaussian, false, effort), .081366 + kPrinted);
    EXPECT_LE(error(data.gaussian, true, effort), .073449 + kPrinted);
    EXPECT_LE(error(data.laplace, false, effort), .082299 + kPrinted);
    EXPECT_LE(error(data.laplace, true, effort), .075094 + kPrinted);
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
    {DType::kQ8_0, 0.51 / 127}, {DType::kQ4_0, 1.01 / 8},  {DType::kQ4_1, 1.05 / 15},
    {DType::kQ5_0, 1.01 / 16},  {DType::kQ5_1, 1.05 / 31}, {DType::kQ2_K, 2.0 / 3},
    {DType::kQ3_K, 1.5 / 4},    {DType::kQ4_K, 1.5 / 15},  {DType::kQ5_K, 1.5 / 31},
    {DType::kQ6_K, 1.01 / 31},  {DType::kIQ4_NL, 0.14},    {DType::kIQ4_XS, 1.5 * 14 / 127},
    {DType::kMXFP4, 1.01 / 4},
};

TEST(EncodeError, OfTheBestEffortIsBelowThatOfADefaultWithoutASearch) {
  std::vector<float> values(std::size_t{256} * 64);
  TestNumbers numbers(13);
  for (float& value : values) value = static_cast<float>(0.02 * numbers.gaussian());
  for (const DType dtype : {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1}) {
    EXPECT_LT(error_of(dtype, values, {.effort = Effort::kBest}), 0.95 * error_of(dtype, values))
        << dtype_name(dtype);
  }
}

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
        ASSERT_LE(error, bound.part * most + 0x1p-22)
            << dtype_name(bound.dtype) << ", " << rows.name << ", value " << i;
      }
    }
  }
}

TEST(EncodeError, StaysWithinThreeStepsOnHostileRowsInEveryOtherWay) {
  // A search weighs the largest value against the others and may clip it.
  const std::vector<float> importance = golden_importance();
  for (const Bound& bound : kBounds) {
    for (const NamedRows& rows : hostile_rows(bound.dtype)) {
      double most = 0;
      for (const float x : rows.values) most = std::max(most, std::abs(static_cast<double>(x)));
      for (const NamedOptions& way : all_options(importance)) {
        const auto decoded = decode(best_backend(), bound.dtype,
                                    encode(best_backend(), bound.dtype, rows.values, way.options));
        for (std::size_t i = 0; i < decoded.size(); ++i) {
          // A column without importance may have any error, but one within the values' size.
          const bool matters = way.options.importance.empty() || importance[i % 256] > 0;
          const double error =
              std::abs(static_cast<double>(decoded[i]) - static_cast<double>(rows.values[i]));
          ASSERT_LE(error, (matters ? 3 * bound.part : 2) * most + 0x1p-22)
              << dtype_name(bound.dtype) << ", " << rows.name << ", " << way.name << ", value "
              << i;
        }
      }
    }
  }
}

TEST(EncodeError, IsZeroForZeros) {
  const std::vector<float> importance = golden_importance();
  for (const Codec& codec : encoders()) {
    const std::vector<float> zeros(512, 0.0F);
    for (const NamedOptions& way : all_options(importance)) {
      for (const float value : decode(best_backend(), codec.dtype,
                                      encode(best_backend(), codec.dtype, zeros, way.options))) {
        ASSERT_EQ(value, 0.0F) << dtype_name(codec.dtype) << ", " << way.name;
      }
    }
  }
}

TEST(EncodeError, OfAZeroGroupIsThatOfTheSmallestLevelsAndOtherGroupsStayWhereTheyAre) {
  // Types without a level of zero code a group of zeros with what comes nearest to it. The
  // reference loses the place of the groups after it in IQ3_S; docs/types/grids.md.
  std::vector<float> values(std::size_t{256} * 64);
  TestNumbers numbers(14);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<float>(0.02 * numbers.bell());
    values[i] = i / 32 % 8 == 2 ? 0 : value;
  }
  for (const Codec& codec : encoders()) {
    std::vector<float> full = values;
    for (std::size_t i = 0; i < full.size(); ++i) {
      if (full[i] == 0) full[i] = values[(i + 32) % values.size()];
    }
    EXPECT_LE(error_of(codec.dtype, values), 1.1 * error_of(codec.dtype, full))
        << dtype_name(codec.dtype);
  }
}

TEST(EncodeError, OfASubBlockWithoutImportanceIsThatOfOneWhereAllColumnsMatterAlike) {
  // Columns 96 to 127 have none; the values there are still coded well.
  const std::vector<float> importance = golden_importance();
  std::vector<float> values(std::size_t{256} * 64);
  TestNumbers numbers(12);
  for (float& value : values) value = static_cast<float>(0.02 * numbers.bell());
  for (const Codec& codec : encoders()) {
    const auto error_there = [&](const EncodeOptions& options) {
      const auto decoded =
          decode(best_backend(), codec.dtype, encode(best_backend(), codec.dtype, values, options));
      std::vector<float> there(256, 0.0F);
      std::fill(there.begin() + 96, there.begin() + 128, 1.0F);
      return relative_error(values, decoded, there);
    };
    EXPECT_LE(error_there({.importance = importance}), 1.2 * error_there({}))
        << dtype_name(codec.dtype);
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
