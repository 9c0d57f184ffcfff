#include "kernels/math.h"

#include <bit>
#include <cstdint>
#include <limits>

namespace qbuild::kernels {
namespace {

// ln 2 and pi/2 in pieces: the products of the first pieces with the integers they meet are exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kInverseLn2 = 0x1.71547652b82fep+0;
constexpr double kHalfPi1 = 0x1.921fb544p+0;
constexpr double kHalfPi2 = 0x1.0b4611a6p-34;
constexpr double kHalfPi3 = 0x1.3198a2e037073p-69;
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Adding this to a double of at most 2^51 leaves its nearest integer in the low bits, ties to even.
constexpr double kRoundingShift = 0x1.8p+52;

double nearest_integer(double x) {
  const double shifted = x + kRoundingShift;
  return shifted - kRoundingShift;
}

// 2^n for normal results.
double power_of_two(std::int64_t n) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52U);
}

// Taylor series around 0 for |r| <= pi/4; the first terms left out are below 2^-60.
double sin_series(double r) {
  const double z = r * r;
  double p = 1.0 / 355687428096000.0;  // 1/17!
  p = p * z - 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z - 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  p = p * z - 1.0 / 6.0;
  return r + r * z * p;
}

double cos_series(double r) {
  const double z = r * r;
  double p = 1.0 / 20922789888000.0;  // 1/16!
  p = p * z - 1.0 / 87178291200.0;
  p = p * z + 1.0 / 479001600.0;
  p = p * z - 1.0 / 3628800.0;
  p = p * z + 1.0 / 40320.0;
  p = p * z - 1.0 / 720.0;
  p = p * z + 1.0 / 24.0;
  // 1 - z/2 is split so that its rounding error is added back.
  const double half = 0.5 * z;
  const double first = 1.0 - half;
  return first + (((1.0 - first) - half) + z * z * p);
}

}  // namespace

double exact_exp(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return kInfinity;
  if (x < -745.1332191019412) return 0.0;
  const double n = nearest_integer(x * kInverseLn2);
  const double high = x - n * kLn2High;
  const double low = n * kLn2Low;
  const double r = high - low;
  double p = 1.0 / 6227020800.0;  // 1/13!
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  const double y = 1.0 + (r + (((high - r) - low) + r * r * p));
  // Two factors, so that results near the ends of the range are reached without passing them.
  const auto whole = static_cast<std::int64_t>(n);
  const std::int64_t half = whole / 2;
  return y * power_of_two(half) * power_of_two(whole - half);
}

double exact_log(double x) {
  if (x != x || x < 0) return kNan;
  if (x == 0) return -kInfinity;
  if (x == kInfinity) return kInfinity;
  std::int64_t n = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p54;
    n = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  n += static_cast<std::int64_t>(bits >> 52U) - 1023;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffU) | 0x3ff0000000000000U);
  if (m > 0x1.6a09e667f3bcdp+0) {
    m *= 0.5;
    ++n;
  }
  // ln m = 2 atanh(s), s = f/(2+f), written as f - f*f/2 + s*(f*f/2 + R) so that f itself is exact.
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double p = 2.0 / 23.0;
  p = p * z + 2.0 / 21.0;
  p = p * z + 2.0 / 19.0;
  p = p * z + 2.0 / 17.0;
  p = p * z + 2.0 / 15.0;
  p = p * z + 2.0 / 13.0;
  p = p * z + 2.0 / 11.0;
  p = p * z + 2.0 / 9.0;
  p = p * z + 2.0 / 7.0;
  p = p * z + 2.0 / 5.0;
  p = p * z + 2.0 / 3.0;
  const double half_square = 0.5 * f * f;
  const double k = static_cast<double>(n);
  return k * kLn2High - ((half_square - (s * (half_square + z * p) + k * kLn2Low)) - f);
}

double exact_pow(double base, double exponent) {
  return exact_exp(exponent * exact_log(base));
}

SinCos exact_sincos(double x) {
  const double n = nearest_integer(x * kTwoOverPi);
  const double first = x - n * kHalfPi1;
  const double second = n * kHalfPi2;
  const double middle = first - second;
  const double r = middle + (((first - middle) - second) - n * kHalfPi3);
  const double s = sin_series(r);
  const double c = cos_series(r);
  switch (static_cast<std::uint64_t>(static_cast<std::int64_t>(n)) & 3U) {
    case 0:
      return {s, c};
    case 1:
      return {c, -s};
    case 2:
      return {-s, -c};
    default:
      return {-c, s};
  }
}

}  // namespace qbuild::kernels
