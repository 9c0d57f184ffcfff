#pragma once
// The table of one backend, written once for all lanes.

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"
#include "kernels/decode_float4_lanes.h"
#include "kernels/decode_iq_lanes.h"
#include "kernels/decode_lanes.h"
#include "kernels/decode_ternary_lanes.h"
#include "kernels/encode_affine_block_lanes.h"
#include "kernels/encode_affine_k_lanes.h"
#include "kernels/encode_few_levels_lanes.h"
#include "kernels/encode_grid_lanes.h"
#include "kernels/encode_grid_types_lanes.h"
#include "kernels/encode_mxfp4_lanes.h"
#include "kernels/encode_nvfp4_lanes.h"
#include "kernels/encode_plain_lanes.h"
#include "kernels/encode_scaled_block_lanes.h"
#include "kernels/encode_scaled_k_lanes.h"

namespace qbuild::kernels {

template <class L>
struct BackendCodecs {
  using Plain = PlainEncoders<L>;
  using I = typename L::I;

  static std::size_t first_beyond(const float* values, std::size_t count, float bound) {
    // Magnitudes are in the order of their bits, NaN beyond infinity. Sixteen registers at a time,
    // until one holds such a value.
    const I rest = L::set_int(0x7fffffff);  // all but the sign
    const I largest = L::sub_int(L::bits(L::set(bound)), L::set_int(1));
    std::size_t i = 0;
    for (; i + 256 <= count; i += 256) {
      I most = L::set_int(0);
      for (std::size_t j = 0; j < 256; j += 16) {
        most = L::max_int(most, L::and_int(L::bits(L::load(values + i + j)), rest));
      }
      if (L::template bit_of_lanes<31>(L::sub_int(largest, most)) != 0) break;
    }
    for (; i < count; ++i) {
      const float magnitude = values[i] < 0 ? -values[i] : values[i];
      if (!(magnitude < bound)) return i;
    }
    return count;
  }

  // Whether a block of 32 is worth a search: its extremes do otherwise.
  static bool has_choice(const EncodeJob& job) {
    return job.importance != nullptr || job.effort == Effort::kBest;
  }

  static void encode(DType dtype, const EncodeJob& job) {
    switch (dtype) {
      case DType::kF32:
        __builtin_memcpy(job.out, job.values, 4 * job.blocks);
        return;
      case DType::kF16:
        return Plain::f16(job);
      case DType::kBF16:
        return Plain::bf16(job.values, job.blocks, job.out);
      case DType::kQ8_0:
        return Plain::in_groups(Plain::q8_0, sizeof(BlockQ8_0), job);
      case DType::kQ4_0:
        if (has_choice(job)) return ScaledBlockEncoder<L, ScaledQ4_0<L>>::encode(job);
        return Plain::in_groups(Plain::q4_0, sizeof(BlockQ4_0), job);
      case DType::kQ4_1:
        if (has_choice(job)) return AffineBlockEncoder<L, 15>::encode(job);
        return Plain::in_groups(Plain::q4_1, sizeof(BlockQ4_1), job);
      case DType::kQ5_0:
        if (has_choice(job)) return ScaledBlockEncoder<L, ScaledQ5_0<L>>::encode(job);
        return Plain::in_groups(Plain::q5_0, sizeof(BlockQ5_0), job);
      case DType::kQ5_1:
        if (has_choice(job)) return AffineBlockEncoder<L, 31>::encode(job);
        return Plain::in_groups(Plain::q5_1, sizeof(BlockQ5_1), job);
      case DType::kQ2_K:
        return AffineKEncoder<L, AffineQ2K>::encode(job);
      case DType::kQ3_K:
        return ScaledKEncoder<L, ScaledQ3K<L>>::encode(job);
      case DType::kQ4_K:
        return AffineKEncoder<L, AffineQ4K>::encode(job);
      case DType::kQ5_K:
        return AffineKEncoder<L, AffineQ5K>::encode(job);
      case DType::kQ6_K:
        return ScaledKEncoder<L, ScaledQ6K<L>>::encode(job);
      case DType::kIQ4_NL:
        return ScaledBlockEncoder<L, ScaledIQ4NL<L>>::encode(job);
      case DType::kIQ4_XS:
        return ScaledKEncoder<L, ScaledIQ4XS<L>>::encode(job);
      case DType::kIQ3_S:
        return GridEncoder<L, GridIQ3S<L>>::encode(job);
      case DType::kIQ3_XXS:
        return GridEncoder<L, GridIQ3XXS<L>>::encode(job);
      case DType::kIQ2_S:
        return GridEncoder<L, GridIQ2S<L>>::encode(job);
      case DType::kIQ2_XS:
        return GridEncoder<L, GridIQ2XS<L>>::encode(job);
      case DType::kIQ2_XXS:
        return GridEncoder<L, GridIQ2XXS<L>>::encode(job);
      case DType::kIQ1_S:
        return GridEncoder<L, GridIQ1S<L>>::encode(job);
      case DType::kIQ1_M:
        return GridEncoder<L, GridIQ1M<L>>::encode(job);
      case DType::kTQ1_0:
        return FewLevelsEncoders<L>::tq1_0(job);
      case DType::kTQ2_0:
        return FewLevelsEncoders<L>::tq2_0(job);
      case DType::kMXFP4:
        return Mxfp4Encoder<L>::encode(job);
      case DType::kNVFP4:
        return Nvfp4Encoder<L>::encode(job);
      case DType::kQ1_0:
        return FewLevelsEncoders<L>::q1_0(job);
      case DType::kQ2_0:
        return FewLevelsEncoders<L>::q2_0(job);
      default:
        return;  // kernels/codec.cc asks for the types above only
    }
  }

  static void decode(DType dtype, const std::uint8_t* from, std::size_t blocks, float* out) {
    switch (dtype) {
      case DType::kF32:
        __builtin_memcpy(out, from, 4 * blocks);
        return;
      case DType::kF16:
        return Decoders<L>::f16(from, blocks, out);
      case DType::kBF16:
        return Decoders<L>::bf16(from, blocks, out);
      case DType::kQ8_0:
        return Decoders<L>::q8_0(from, blocks, out);
      case DType::kQ4_0:
        return Decoders<L>::q4_0(from, blocks, out);
      case DType::kQ5_0:
        return Decoders<L>::q5_0(from, blocks, out);
      case DType::kQ5_1:
        return Decoders<L>::q5_1(from, blocks, out);
      case DType::kQ4_K:
        return Decoders<L>::q4_k(from, blocks, out);
      case DType::kQ5_K:
        return Decoders<L>::q5_k(from, blocks, out);
      case DType::kQ6_K:
        return Decoders<L>::q6_k(from, blocks, out);
      case DType::kQ4_1:
        return Decoders<L>::q4_1(from, blocks, out);
      case DType::kQ2_K:
        return Decoders<L>::q2_k(from, blocks, out);
      case DType::kQ3_K:
        return Decoders<L>::q3_k(from, blocks, out);
      case DType::kIQ4_NL:
        return Float4Decoders<L>::iq4_nl(from, blocks, out);
      case DType::kIQ4_XS:
        return Float4Decoders<L>::iq4_xs(from, blocks, out);
      case DType::kMXFP4:
        return Float4Decoders<L>::mxfp4(from, blocks, out);
      case DType::kNVFP4:
        return Float4Decoders<L>::nvfp4(from, blocks, out);
      case DType::kQ1_0:
        return TernaryDecoders<L>::q1_0(from, blocks, out);
      case DType::kQ2_0:
        return TernaryDecoders<L>::q2_0(from, blocks, out);
      case DType::kTQ1_0:
        return TernaryDecoders<L>::tq1_0(from, blocks, out);
      case DType::kTQ2_0:
        return TernaryDecoders<L>::tq2_0(from, blocks, out);
      case DType::kIQ1_S:
        return IqDecoders<L>::iq1_s(from, blocks, out);
      case DType::kIQ1_M:
        return IqDecoders<L>::iq1_m(from, blocks, out);
      case DType::kIQ2_XXS:
        return IqDecoders<L>::iq2_xxs(from, blocks, out);
      case DType::kIQ2_XS:
        return IqDecoders<L>::iq2_xs(from, blocks, out);
      case DType::kIQ2_S:
        return IqDecoders<L>::iq2_s(from, blocks, out);
      case DType::kIQ3_XXS:
        return IqDecoders<L>::iq3_xxs(from, blocks, out);
      case DType::kIQ3_S:
        return IqDecoders<L>::iq3_s(from, blocks, out);
      default:
        return;  // kernels/codec.cc asks for the types above only
    }
  }

  static constexpr CodecTable table() {
    return {.first_beyond = first_beyond, .encode = encode, .decode = decode};
  }
};

}  // namespace qbuild::kernels
