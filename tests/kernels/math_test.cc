#include "kernels/math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qbuild::kernels {
namespace {

struct Golden {
  double x;
  double y;  // rounded from 60 decimal digits
};

double ulps(double got, double want) {
  return std::abs(got - want) / (std::nextafter(std::abs(want), INFINITY) - std::abs(want));
}

TEST(ExactExp, IsWithinTwoUlpsOfHighPrecision) {
  constexpr Golden kGolden[] = {{0x1.0000000000000p+0, 0x1.5bf0a8b145769p+1},
                                {-0x1.0000000000000p+0, 0x1.78b56362cef38p-2},
                                {0x1.0000000000000p-1, 0x1.a61298e1e069cp+0},
                                {0x1.4000000000000p+3, 0x1.5829dcf950560p+14},
                                {-0x1.4400000000000p+4, 0x1.b93de1e27ca3bp-30},
                                {0x1.5e40000000000p+9, 0x1.8625c7d4f56c2p+1010},
                                {-0x1.5e40000000000p+9, 0x1.4ff475c68ca02p-1011},
                                {0x1.12e0be826d695p-30, 0x1.000000044b830p+0},
                                {0x1.62e42fefa39efp-1, 0x1.0000000000000p+1}};
  for (const Golden& golden : kGolden)
    EXPECT_LE(ulps(exact_exp(golden.x), golden.y), 2) << golden.x;
  EXPECT_EQ(exact_exp(0), 1.0);
}

TEST(ExactExp, EndsInZeroInfinityAndNotANumber) {
  EXPECT_EQ(exact_exp(-746), 0.0);
  EXPECT_EQ(exact_exp(-INFINITY), 0.0);
  EXPECT_EQ(exact_exp(710), INFINITY);
  EXPECT_TRUE(std::isnan(exact_exp(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_GT(exact_exp(-744), 0.0);
}

TEST(ExactLog, IsWithinTwoUlpsOfHighPrecision) {
  constexpr Golden kGolden[] = {{0x1.0000000000000p+1, 0x1.62e42fefa39efp-1},
                                {0x1.4000000000000p+3, 0x1.26bb1bbb55516p+1},
                                {0x1.999999999999ap-4, -0x1.26bb1bbb55515p+1},
                                {0x1.000001ad7f29bp+0, 0x1.ad7f2847b6492p-24},
                                {0x1.fff2e48e8a71ep-1, -0x1.a3738d2cf1cc2p-14},
                                {0x1.7e43c8800759cp+996, 0x1.5963447f87fb5p+9},
                                {0x0.03739a252b281p-1022, -0x1.6459f44103e87p+9},
                                {0x1.8000000000000p+0, 0x1.9f323ecbf984cp-2},
                                {0x1.5d38800000000p+15, 0x1.56a5c28e83fe6p+3}};
  for (const Golden& golden : kGolden)
    EXPECT_LE(ulps(exact_log(golden.x), golden.y), 2) << golden.x;
  EXPECT_EQ(exact_log(1), 0.0);
}

TEST(ExactLog, KnowsZeroInfinityAndNegatives) {
  EXPECT_EQ(exact_log(0), -INFINITY);
  EXPECT_EQ(exact_log(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(exact_log(-1)));
}

TEST(ExactPow, GivesTheFrequenciesOfTheRotation) {
  EXPECT_NEAR(exact_pow(10000, -0.5), 0.01, 1e-16);
  EXPECT_NEAR(exact_pow(500000, -2.0 / 64), 0.6636012376960885, 1e-12);
  EXPECT_EQ(exact_pow(10000, 0), 1.0);
}

TEST(ExactSincos, IsWithinTwoUlpsOfHighPrecision) {
  struct Both {
    double x, sin, cos;
  };
  constexpr Both kGolden[] = {{0x1.0000000000000p-1, 0x1.eaee8744b05f0p-2, 0x1.c1528065b7d50p-1},
                              {0x1.0000000000000p+0, 0x1.aed548f090ceep-1, 0x1.14a280fb5068cp-1},
                              {0x1.921fb54442d18p-1, 0x1.6a09e667f3bccp-1, 0x1.6a09e667f3bcdp-1},
                              {0x1.8000000000000p+1, 0x1.210386db6d55bp-3, -0x1.fae04be85e5d2p-1},
                              {0x1.9000000000000p+6, -0x1.03425b78c4db8p-1, 0x1.b981dbf665fdfp-1},
                              {-0x1.4000000000000p+1, -0x1.326af0dcfcab1p-1, -0x1.9a2f7ef858b7dp-1},
                              {0x1.ffff000000000p+16, -0x1.268613f60babcp-1, -0x1.a2cebbb513e7cp-1},
                              {0x1.e848100000000p+19, 0x1.22b9252dc614dp-3, 0x1.fad0a779be88ep-1}};
  for (const Both& golden : kGolden) {
    const SinCos got = exact_sincos(golden.x);
    EXPECT_LE(ulps(got.sin, golden.sin), 2) << golden.x;
    EXPECT_LE(ulps(got.cos, golden.cos), 2) << golden.x;
  }
  EXPECT_EQ(exact_sincos(0).sin, 0.0);
  EXPECT_EQ(exact_sincos(0).cos, 1.0);
}

}  // namespace
}  // namespace qbuild::kernels
