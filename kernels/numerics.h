#pragma once
// The version of everything that decides a bit of a measured number: the order of sums, the
// rounding of activations, exp, log and the rotation tables. It is a field of every key whose step
// runs a network.
//
// The rules. Contraction is off; fusion happens where fma is written, and nowhere else.
//   f32 product      k in blocks of 256; in a block each output is one chain acc = fma(x, w, acc)
//   from +0
//                    in ascending k; block sums are added to +0 in ascending order.
//   F16, BF16        the activations are rounded to the weight's type, then the f32 product.
//   packed product   activations are quantized per block as llama.cpp's CPU backend does on x86 (a
//   block's
//                    scale is amax/127 and its factor 127/amax, rounding to even; Q8_K follows the
//                    signed maximum), integer dot products are exact, and a block adds in ascending
//                    order acc = fma(float(isum), dw*dx, acc), then for types with a minimum acc =
//                    fma(m, s, acc) (Q4_1, Q5_1) or acc = fma(float(msum), -(dmin*dx), acc) (Q2_K,
//                    Q4_K, Q5_K). Of NVFP4, whose scales are of 16 values, each half of an
//                    activation's block is one.
//   sums over a row  (norm, softmax) sixteen lanes, lane l takes elements l, l+16, ...; then lanes
//   l and l+8,
//                    l and l+4, l and l+2, l and l+1 are added.
//   likelihood       exp in f32, its sum in f64 by the same sixteen lanes, log in f64.
//   attention        scores are f32 products over the head, times the scale; softmax; f32 products
//   over
//                    the positions. Keys and values are kept in f32.
//   rotation         angles, sin and cos in f64 by our own series, rounded once to f32.
//
// History: 1, the first.

#include <string_view>

namespace qbuild::kernels {

inline constexpr std::string_view kNumericsVersion = "1";

}  // namespace qbuild::kernels
