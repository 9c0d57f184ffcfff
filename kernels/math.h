#pragma once
// exp, log, sin and cos in f64 from additions, products and divisions alone: the C library's differ
// between versions and processors in the last bit, and a measured number may not. Within 2 ulp for
// normal results. Pure; any thread.

namespace qbuild::kernels {

// 0 below -745.13, infinity above 709.78.
[[nodiscard]] double exact_exp(double x);
// Natural logarithm: -infinity of 0, not-a-number of negatives.
[[nodiscard]] double exact_log(double x);
// base^exponent for base > 0, as exp(exponent * log(base)).
[[nodiscard]] double exact_pow(double base, double exponent);

struct SinCos {
  double sin = 0;
  double cos = 0;
};
// |x| up to 2^20; beyond, precision falls off slowly.
[[nodiscard]] SinCos exact_sincos(double x);

}  // namespace qbuild::kernels
