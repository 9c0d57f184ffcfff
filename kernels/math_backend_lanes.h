#pragma once
// The parts of a backend's table that all backends write the same way.

#include "kernels/activation_lanes.h"
#include "kernels/math_table.h"
#include "kernels/matmul_quantize_lanes.h"
#include "kernels/matmul_unpack_lanes.h"
#include "kernels/norm_lanes.h"

namespace qbuild::kernels {

template <class L>
struct SharedKernels {
  static constexpr MathTable table(void (*multiply_f32)(const F32Tile&),
                                   void (*multiply_packed)(const PackedTile&),
                                   float (*dot_packed)(PackedKind, const void*, const void*,
                                                       std::size_t)) {
    return {.exponential = ActivationKernels<L>::exponential,
            .silu_multiply = ActivationKernels<L>::silu_multiply,
            .add = ActivationKernels<L>::add,
            .rms_norm = RowKernels<L>::rms_norm,
            .rotate = RowKernels<L>::rotate,
            .softmax = RowKernels<L>::softmax,
            .softmax_lanes = RowKernels<L>::softmax_lanes,
            .round_f16 = ActivationKernels<L>::round_f16,
            .round_bf16 = ActivationKernels<L>::round_bf16,
            .quantize_32 = QuantizeKernels<L>::quantize_32,
            .quantize_256 = QuantizeKernels<L>::quantize_256,
            .unpack = UnpackKernels<L>::unpack,
            .multiply_f32 = multiply_f32,
            .multiply_packed = multiply_packed,
            .dot_f32 = ActivationKernels<L>::dot_f32,
            .add_scaled = ActivationKernels<L>::add_scaled,
            .dot_packed = dot_packed};
  }
};

}  // namespace qbuild::kernels
