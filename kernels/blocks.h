#pragma once
// The blocks of GGUF's quantized types and of the activations that meet them: what lies on disk and
// in memory, byte for byte. Stored on disk: never reorder. Source: GGUF specification and
// llama.cpp's block structures.
//
// A `_bits` field is IEEE binary16, little-endian. lo and hi are the nibbles of a byte. Elements
// are in row order. The structs have the alignment of their fields, so bytes from a file are copied
// into them with memcpy, or read in place where every block's offset is even (it is for all types
// here).

#include <cstdint>

namespace qbuild::kernels {

inline constexpr int kBlockValues = 32;        // values of a Qn_0 and Qn_1 block
inline constexpr int kSuperBlockValues = 256;  // values of a Qn_K block

// y[j] = d * q[j]
struct BlockQ8_0 {
  std::uint16_t d_bits;
  std::int8_t q[32];
};
static_assert(sizeof(BlockQ8_0) == 34);

// y[j] = d * (lo(q[j]) - 8), y[j + 16] = d * (hi(q[j]) - 8), j < 16
struct BlockQ4_0 {
  std::uint16_t d_bits;
  std::uint8_t q[16];
};
static_assert(sizeof(BlockQ4_0) == 18);

// code j = nibble as in Q4_0, plus 16 if bit j of the little-endian word `high` is set;
// y[j] = d * (code j - 16)
struct BlockQ5_0 {
  std::uint16_t d_bits;
  std::uint8_t high[4];
  std::uint8_t q[16];
};
static_assert(sizeof(BlockQ5_0) == 22);

// Codes as in Q5_0; y[j] = d * code j + m
struct BlockQ5_1 {
  std::uint16_t d_bits;
  std::uint16_t m_bits;
  std::uint8_t high[4];
  std::uint8_t q[16];
};
static_assert(sizeof(BlockQ5_1) == 24);

// Eight sub-blocks s of 32 values with a scale sc and a minimum m of six bits each, in twelve
// bytes:
//   s < 4    sc = scales[s] & 63,                                 m = scales[s + 4] & 63
//   s >= 4   sc = lo(scales[s + 4]) | (scales[s - 4] >> 6) << 4,  m = hi(scales[s + 4]) |
//   (scales[s] >> 6) << 4
// Bytes 32g to 32g + 31 of q hold sub-block 2g in the low nibbles and 2g + 1 in the high ones.
// y = (d * sc) * code - dmin * m
struct BlockQ4_K {
  std::uint16_t d_bits;
  std::uint16_t dmin_bits;
  std::uint8_t scales[12];
  std::uint8_t q[128];
};
static_assert(sizeof(BlockQ4_K) == 144);

// As Q4_K; element l of sub-block s has its fifth bit in bit s of high[l].
struct BlockQ5_K {
  std::uint16_t d_bits;
  std::uint16_t dmin_bits;
  std::uint8_t scales[12];
  std::uint8_t high[32];
  std::uint8_t q[128];
};
static_assert(sizeof(BlockQ5_K) == 176);

// Sixteen sub-blocks of 16 values. Per half h (128 values) and l < 32, with low = low4 + 64h, high
// = high2 + 32h:
//   code(l)      = lo(low[l])      | (high[l] & 3) << 4
//   code(l + 32) = lo(low[l + 32]) | (high[l] >> 2 & 3) << 4
//   code(l + 64) = hi(low[l])      | (high[l] >> 4 & 3) << 4
//   code(l + 96) = hi(low[l + 32]) | (high[l] >> 6) << 4
// y = (d * scales[sub-block]) * (code - 32)
struct BlockQ6_K {
  std::uint8_t low4[128];
  std::uint8_t high2[64];
  std::int8_t scales[16];
  std::uint16_t d_bits;
};
static_assert(sizeof(BlockQ6_K) == 210);

// Activations, never in a file: 32 values with s = d * (sum of q), so that a weight's minimum costs
// one product.
struct BlockQ8_1 {
  std::uint16_t d_bits;
  std::uint16_t s_bits;
  std::int8_t q[32];
};
static_assert(sizeof(BlockQ8_1) == 36);

// Activations, never in a file: 256 values with the sums of each 16 of them.
struct BlockQ8_K {
  float d;
  std::int8_t q[256];
  std::int16_t sums[16];
};
static_assert(sizeof(BlockQ8_K) == 292);

}  // namespace qbuild::kernels
