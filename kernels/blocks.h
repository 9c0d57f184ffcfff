#pragma once
// The blocks of GGUF's quantized types and of the activations that meet them: what lies on disk and
// in memory, byte for byte. Stored on disk: never reorder. Source: GGUF specification and
// llama.cpp's block structures; docs/types/README.md has drawings.
//
// A `_bits` field is IEEE binary16, little-endian; so are the other fields of two bytes. lo and hi
// are the nibbles of a byte, bit 0 is the lowest. Elements are in row order. The structs have the
// alignment of their fields, so bytes from a file are copied into them with memcpy, or read in
// place where every block's offset is even (it is wherever the alignment is two).

#include <cstdint>

namespace qbuild::kernels {

inline constexpr int kBlockValues = 32;        // values of a Q4, Q5 or Q8_0 block
inline constexpr int kSuperBlockValues = 256;  // values of a Qn_K block and of most IQ blocks

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

// Codes as in Q4_0; y[j] = d * code j + m
struct BlockQ4_1 {
  std::uint16_t d_bits;
  std::uint16_t m_bits;
  std::uint8_t q[16];
};
static_assert(sizeof(BlockQ4_1) == 20);

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

// 128 values: y[j] = d if bit j % 8 of q[j / 8] is set, else -d
struct BlockQ1_0 {
  std::uint16_t d_bits;
  std::uint8_t q[16];
};
static_assert(sizeof(BlockQ1_0) == 18);

// 64 values: y[j] = d * ((q[j / 4] >> 2 * (j % 4) & 3) - 1)
struct BlockQ2_0 {
  std::uint16_t d_bits;
  std::uint8_t q[16];
};
static_assert(sizeof(BlockQ2_0) == 18);

// Sixteen sub-blocks s of 16 values. Element e of half h (128 values), e = 32g + l, has the code
// q[32h + l] >> 2g & 3.
// y = (d * lo(scales[s])) * code - dmin * hi(scales[s])
struct BlockQ2_K {
  std::uint8_t scales[16];
  std::uint8_t q[64];
  std::uint16_t d_bits;
  std::uint16_t dmin_bits;
};
static_assert(sizeof(BlockQ2_K) == 84);

// Two bits of each code as in Q2_K; the third of element e < 256 is bit e / 32 of high[e % 32].
// Scales of sub-blocks s have six bits, the low four and the high two apart:
//   sc = (s < 8 ? lo(scales[s]) : hi(scales[s - 8])) | (scales[8 + s % 4] >> 2 * (s / 4) & 3) << 4
// y = (d * (sc - 32)) * (code - 4)
struct BlockQ3_K {
  std::uint8_t high[32];
  std::uint8_t q[64];
  std::uint8_t scales[12];
  std::uint16_t d_bits;
};
static_assert(sizeof(BlockQ3_K) == 110);

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

// Codes as in Q4_0, through the table kFourBitLevels of kernels/float4_levels.h: y = d * level
struct BlockIQ4_NL {
  std::uint16_t d_bits;
  std::uint8_t q[16];
};
static_assert(sizeof(BlockIQ4_NL) == 18);

// Eight sub-blocks s of 32 values, each with 16 bytes of q as in IQ4_NL.
//   sc = (scales_low[s / 2] >> 4 * (s % 2) & 15) | (scales_high >> 2s & 3) << 4
// y = (d * (sc - 32)) * level
struct BlockIQ4_XS {
  std::uint16_t d_bits;
  std::uint16_t scales_high;
  std::uint8_t scales_low[4];
  std::uint8_t q[128];
};
static_assert(sizeof(BlockIQ4_XS) == 136);

// OCP MX: the scale is a power of two, 2^(e - 127). Codes in the order of Q4_0 are E2M1 numbers,
// whose doubles are kFloat4Doubles of kernels/float4_levels.h.
// y = 2^(e - 128) * double
struct BlockMXFP4 {
  std::uint8_t e;
  std::uint8_t q[16];
};
static_assert(sizeof(BlockMXFP4) == 17);

// Four sub-blocks s of 16 values: byte j of q[s] holds elements j and j + 8, E2M1 as in MXFP4. A
// scale is an unsigned E4M3 number: bits 3 to 6 exponent with bias 7, bits 0 to 2 mantissa; the
// bytes 0x00, 0x7F and 0x80 stand for 0. There may be a factor for the whole tensor: a tensor of
// its own.
// y = (scale / 2) * double
struct BlockNVFP4 {
  std::uint8_t scales[4];
  std::uint8_t q[4][8];
};
static_assert(sizeof(BlockNVFP4) == 36);

// Codes 0, 1, 2 for -1, 0, +1, five to a byte: with digits t0 to t4 the byte is ceil(v * 256 /
// 243), v = 81 * t0 + 27 * t1 + 9 * t2 + 3 * t3 + t4, so that digit n is the whole part of
// 3 * (byte * 3^n mod 256) / 256.
//   element 32n + m         digit n of q[m],        n < 5, m < 32
//   element 160 + 16n + m   digit n of q[32 + m],   n < 5, m < 16
//   element 240 + 4n + m    digit n of rest[m],     n < 4, m < 4
// y = d * (digit - 1)
struct BlockTQ1_0 {
  std::uint8_t q[48];
  std::uint8_t rest[4];
  std::uint16_t d_bits;
};
static_assert(sizeof(BlockTQ1_0) == 54);

// Element 128h + 32n + m: y = d * ((q[32h + m] >> 2n & 3) - 1)
struct BlockTQ2_0 {
  std::uint8_t q[64];
  std::uint16_t d_bits;
};
static_assert(sizeof(BlockTQ2_0) == 66);

// The types of kernels/iq_grids.h: a code stands for a vector of eight magnitudes (IQ3: four), and
// a byte of signs for eight elements, negative where bit j is set. A sign code has seven bits; the
// eighth makes the number of minus signs even. Groups s are of 32 values.

// Vector l < 4 of a group is kGrid2Bit256.codes[grid[l]], its sign code is in bits 7l of `signs`, a
// u32, whose top four bits are the scale.
//   y = d * (0.5 + scale) * 0.25 * magnitude * sign
struct BlockIQ2_XXS {
  struct Group {
    std::uint8_t grid[4];
    std::uint8_t signs[4];
  };
  std::uint16_t d_bits;
  Group groups[8];
};
static_assert(sizeof(BlockIQ2_XXS) == 66);

// Vector l of group s is kGrid2Bit512.codes[q[4s + l] & 511] with sign code q >> 9. Vectors 0 and 1
// have scale lo(scales[s]), 2 and 3 hi(scales[s]). y as in IQ2_XXS.
struct BlockIQ2_XS {
  std::uint16_t d_bits;
  std::uint16_t q[32];
  std::uint8_t scales[8];
};
static_assert(sizeof(BlockIQ2_XS) == 74);

// Vector l of group s is kGrid2Bit1024.codes[grid[4s + l] | (high[s] >> 2l & 3) << 8] with the byte
// of signs signs[4s + l]. Scales and y as in IQ2_XS.
struct BlockIQ2_S {
  std::uint16_t d_bits;
  std::uint8_t grid[32];
  std::uint8_t signs[32];
  std::uint8_t high[8];
  std::uint8_t scales[8];
};
static_assert(sizeof(BlockIQ2_S) == 82);

// Vector k < 8 of group s has four elements, kGrid3Bit256.codes[grid[8s + k]]. signs[s] is a u32 as
// in IQ2_XXS; sign code l is that of vectors 2l and 2l + 1.
//   y = d * (0.5 + scale) * 0.5 * magnitude * sign
struct BlockIQ3_XXS {
  std::uint16_t d_bits;
  std::uint8_t grid[64];
  std::uint8_t signs[8][4];
};
static_assert(sizeof(BlockIQ3_XXS) == 98);

// Vector k of group s is kGrid3Bit512.codes[grid[8s + k] | (high[s] >> k & 1) << 8]. Vectors 2l and
// 2l + 1 have the byte of signs signs[4s + l]; scale = scales[s / 2] >> 4 * (s % 2) & 15.
//   y = d * (1 + 2 * scale) * magnitude * sign
struct BlockIQ3_S {
  std::uint16_t d_bits;
  std::uint8_t grid[64];
  std::uint8_t high[8];
  std::uint8_t signs[32];
  std::uint8_t scales[4];
};
static_assert(sizeof(BlockIQ3_S) == 110);

// Vector l of group s is kGrid1Bit2048.codes[grid[4s + l] | (high[s] >> 3l & 7) << 8], eight
// elements of -1, 0 or 1. scale = high[s] >> 12 & 7; delta is -0.125 if bit 15 of high[s] is set,
// else 0.125.
//   y = d * (2 * scale + 1) * (element + delta)
struct BlockIQ1_S {
  std::uint16_t d_bits;
  std::uint8_t grid[32];
  std::uint16_t high[8];
};
static_assert(sizeof(BlockIQ1_S) == 50);

// Vector v < 32 of the block has the nibble n = high[v / 2] >> 4 * (v % 2) & 15; it is
// kGrid1Bit2048.codes[grid[v] | (n & 7) << 8], and delta is -0.125 if bit 3 of n is set, else
// 0.125. The k-th 16 values have scale = scales[k / 4] >> 3 * (k % 4) & 7. The top nibbles of the
// four words of scales make d, binary16, the first one its lowest bits. y as in IQ1_S.
struct BlockIQ1_M {
  std::uint8_t grid[32];
  std::uint8_t high[16];
  std::uint16_t scales[4];
};
static_assert(sizeof(BlockIQ1_M) == 56);

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
