#pragma once
// The inner shapes of the products: what is packed, what is unpacked, and one tile of work. A tile
// is some outputs (rows of the weight) times one group of sixteen tokens, which lie in lanes.

#include <cstddef>
#include <cstdint>

namespace qbuild::kernels {

// One group of f32 activations is columns * 16 floats: [column][lane].

// One block of a group of Q8_0 or Q8_1 activations. Step j holds the values 4j .. 4j+3 of each
// lane.
struct LaneBlock32 {
  std::int8_t q[8][16][4];
  float scale[16];
  float scaled_sum[16];  // Q8_1: the scale times the sum of q, rounded to binary16
  std::int32_t sum[16];  // of q
};

// One block of a group of Q8_K activations.
struct LaneBlock256 {
  std::int8_t q[64][16][4];
  std::int16_t sums[8][16][2];  // of the sixteen q from 32*i and from 32*i + 16
  float scale[16];
};

// One block of a row of weights, its codes unpacked to bytes. A weight is scale*(code - offset) +
// minimum.
struct WideBlock32 {
  std::int8_t codes[32];
  float scale;
  float minimum;
};

// The same where the halves have a scale each: scales[i/16]*code, codes signed. As large, so that
// whoever makes room for one has room for the other.
struct WideBlock2x16 {
  std::int8_t codes[32];
  float scales[2];
};
static_assert(sizeof(WideBlock2x16) == sizeof(WideBlock32));

// scale*scales[i/16]*(code - offset) - minimum*minimums[i/16]
struct WideBlock256 {
  std::int8_t codes[256];
  std::int16_t scales[16];
  std::int16_t minimums[16];
  float scale;
  float minimum;
};

// How the codes of a packed type are read, and which sums its product needs. Each is named after
// one type; others are unpacked to codes that fit it.
enum class PackedKind : std::uint8_t {
  kNone,    // not packed
  kQ8_0,    // signed codes
  kQ4_0,    // codes 0..15, offset 8
  kQ5_0,    // codes 0..31, offset 16
  kQ5_1,    // codes 0..31, minimum
  kNVFP4,   // signed codes, a scale for each half of the block (WideBlock2x16)
  kQ4_K,    // codes 0..31 in subblocks of 16, minimums
  kQ6_K,    // codes 0..63 in subblocks of 16, offset 32
  kIQ4_XS,  // signed codes in subblocks of 16
};

// A row is WideBlock256 and LaneBlock256, not WideBlock32 and LaneBlock32.
constexpr bool has_wide_blocks(PackedKind kind) {
  return kind == PackedKind::kQ4_K || kind == PackedKind::kQ6_K || kind == PackedKind::kIQ4_XS;
}

// A block has something that is added besides its codes.
constexpr bool has_minimum(PackedKind kind) {
  return kind == PackedKind::kQ5_1 || kind == PackedKind::kQ4_K;
}

// What is taken from a code before it is scaled.
constexpr int code_offset(PackedKind kind) {
  return kind == PackedKind::kQ4_0   ? 8
         : kind == PackedKind::kQ5_0 ? 16
         : kind == PackedKind::kQ6_K ? 32
                                     : 0;
}

struct F32Tile {
  const float* weights;  // weight of output r, column k: weights[r*row_stride + k*column_stride]
  std::ptrdiff_t row_stride;
  std::ptrdiff_t column_stride;
  std::size_t outputs;
  const float* activations;  // [column][lane]
  std::size_t columns;
  float* out;  // [output][lane]
};

struct PackedTile {
  PackedKind kind;
  const void* weights;  // outputs * blocks WideBlock32, WideBlock2x16 or WideBlock256
  std::size_t outputs;
  const void* activations;  // blocks LaneBlock32 or LaneBlock256
  std::size_t blocks;
  float* out;  // [output][lane]
};

// Quantized activations of one token and block before they are put into lanes.
struct TokenBlock {
  std::int8_t q[256];
  float scale;
};

// One block of the activations of a single token, for kernels/dot.h.
struct DotBlock32 {
  std::int8_t q[32];
  float scale;
  float scaled_sum;  // the scale times the sum of q
};
struct DotBlock256 {
  std::int8_t q[256];
  std::int32_t sums[16];  // of 16 q each
  float scale;
};

// The block of columns within which an f32 product is one chain.
inline constexpr std::size_t kChain = 256;

}  // namespace qbuild::kernels
