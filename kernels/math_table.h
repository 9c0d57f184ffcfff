#pragma once
// The compute kernels of one backend. They take raw pointers because their files are compiled for
// one instruction set and must not instantiate anything that others share.

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "kernels/backend.h"
#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

struct MathTable {
  void (*exponential)(float* x, std::size_t count);
  void (*silu_multiply)(const float* up, float* gate, std::size_t count);
  void (*add)(const float* y, float* x, std::size_t count);
  void (*rms_norm)(const float* x, const float* weight, std::size_t count, float epsilon,
                   float* out);
  // cos, sin: pairs values; low and high: the two halves of a head, rotated in place.
  void (*rotate)(const float* cos, const float* sin, std::size_t pairs, float* low, float* high);
  void (*softmax)(float* x, std::size_t count);
  // rows of sixteen lanes: softmax down each lane over its first limit[lane] rows, after the
  // factor; the other rows become 0.
  void (*softmax_lanes)(float* rows, std::size_t count, float factor, const float* limit);
  void (*round_f16)(float* x, std::size_t count);
  void (*round_bf16)(float* x, std::size_t count);
  // 32 and 256 values; the scale is not yet rounded to binary16.
  void (*quantize_32)(const float* x, TokenBlock* out);
  void (*quantize_256)(const float* x, TokenBlock* out);
  // One row of `blocks` blocks of a packed type to WideBlock32 or WideBlock256.
  void (*unpack)(DType dtype, const std::uint8_t* row, std::size_t blocks, void* out);
  void (*multiply_f32)(const F32Tile& tile);
  void (*multiply_packed)(const PackedTile& tile);
  // For kernels/dot.h: sums in any order.
  float (*dot_f32)(const float* a, const float* b, std::size_t count);
  void (*add_scaled)(const float* x, float factor, float* to, std::size_t count);
  // weights: a row of wide blocks; activations: DotBlock32 or DotBlock256.
  float (*dot_packed)(PackedKind kind, const void* weights, const void* activations,
                      std::size_t blocks);
};

[[nodiscard]] const MathTable& math_table(Backend backend);

// One per backend, each in its own file.
[[nodiscard]] const MathTable& math_table_scalar();
[[nodiscard]] const MathTable& math_table_avx2();
[[nodiscard]] const MathTable& math_table_avx512();

}  // namespace qbuild::kernels
