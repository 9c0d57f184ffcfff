#include "kernels/nvfp4_scale.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qbuild::kernels {
namespace {

TEST(Nvfp4Scale, BringsTheLargestMagnitudeWithinOneOctave) {
  for (const float largest : {1e-30F, 0.0059F, 0.04F, 47.9F, 48.0F, 95.9F, 96.0F, 2688.0F, 1e30F}) {
    const float scaled = largest / nvfp4_scale(largest);
    EXPECT_GE(scaled, 48.0F) << largest;
    EXPECT_LT(scaled, 96.0F) << largest;
  }
}

TEST(Nvfp4Scale, IsAPowerOfTwo) {
  for (const float largest : {0.001F, 0.3F, 7.0F, 1e20F}) {
    int exponent = 0;
    EXPECT_EQ(std::frexp(nvfp4_scale(largest), &exponent), 0.5F) << largest;
  }
}

TEST(Nvfp4Scale, IsOneForZerosAndForWhatNoEncoderTakes) {
  for (const float largest :
       {0.0F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    EXPECT_EQ(nvfp4_scale(largest), 1.0F);
}

TEST(Nvfp4Scale, HasAnInverseForTheSmallestAndTheLargestNumbers) {
  for (const float largest :
       {std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max()}) {
    const float scale = nvfp4_scale(largest);
    EXPECT_TRUE(std::isnormal(scale)) << largest;
    EXPECT_TRUE(std::isnormal(1 / scale)) << largest;
    EXPECT_LE(largest / scale, 96.0F) << largest;
  }
}

}  // namespace
}  // namespace qbuild::kernels
