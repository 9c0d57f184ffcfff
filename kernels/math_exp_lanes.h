#pragma once
// exp in f32, lane by lane: n = nearest(x / ln 2), a Taylor series of degree 7 in r = x - n ln 2,
// times 2^n in two factors. Below -87.33 the result is 0, above 88.72 infinity; not-a-number stays.

namespace qbuild::kernels {

template <class L>
typename L::F exp_lanes(typename L::F x) {
  using F = typename L::F;
  using I = typename L::I;
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  const F shift = L::set(0x1.8p+23F);
  const F shifted = L::fma(x, L::set(0x1.715476p+0F), shift);
  const F n = L::sub(shifted, shift);
  F r = L::fma(n, L::set(-0x1.62e43p-1F), x);
  r = L::fma(n, L::set(0x1.05c61p-29F), r);
  F p = L::set(1.0F / 5040.0F);
  p = L::fma(p, r, L::set(1.0F / 720.0F));
  p = L::fma(p, r, L::set(1.0F / 120.0F));
  p = L::fma(p, r, L::set(1.0F / 24.0F));
  p = L::fma(p, r, L::set(1.0F / 6.0F));
  p = L::fma(p, r, L::set(0.5F));
  const F y = L::add(L::fma(L::mul(r, r), p, r), L::set(1.0F));
  const I whole = L::add_int(L::bits(shifted), L::set_int(-0x4b400000));
  const I first = L::shift_right_one(whole);
  const I second = L::sub_int(whole, first);
  const I bias = L::set_int(127);
  const F scale1 = L::from_bits(L::template shift_left<23>(L::add_int(first, bias)));
  const F scale2 = L::from_bits(L::template shift_left<23>(L::add_int(second, bias)));
  F result = L::mul(L::mul(y, scale1), scale2);
  result = L::select_less(x, L::set(-87.33654F), L::set(0.0F), result);
  return L::select_less(L::set(88.72284F), x, L::from_bits(L::set_int(0x7f800000)), result);
}

}  // namespace qbuild::kernels
