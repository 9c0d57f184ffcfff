#pragma once
// Rotary position embedding. Tables are made in f64 by our own series and rounded once; rotations
// are x0*cos - x1*sin as fma(x0, cos, -(x1*sin)) and x1*cos + x0*sin as fma(x0, sin, x1*cos).
// Source: docs/network.md; the scaling kinds are those of transformers' rope_type.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/backend.h"

namespace qbuild::kernels {

enum class RopeScaling : std::uint8_t { kNone, kLinear, kLlama3, kYarn };

[[nodiscard]] std::string_view rope_scaling_name(RopeScaling scaling);

struct RopeParameters {
  std::size_t dimensions = 0;  // values of a head that rotate; even
  double theta = 10000.0;
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1.0;
  double low_frequency_factor = 1.0;   // llama3
  double high_frequency_factor = 4.0;  // llama3
  double original_context = 8192.0;    // llama3, yarn
  double beta_fast = 32.0;             // yarn
  double beta_slow = 1.0;              // yarn
  double attention_factor = 0.0;       // yarn; 0 means 0.1*ln(factor) + 1
  // One divisor per pair, or none: what a GGUF's rope_freqs.weight holds. Replaces kLlama3's own.
  std::vector<float> frequency_divisors = {};
};

// The divisors of llama3 scaling as a converter writes them to rope_freqs.weight: dimensions/2
// values.
[[nodiscard]] std::vector<float> llama3_frequency_divisors(const RopeParameters& parameters);

// cos and sin of every pair for positions [first, first + count).
class RopeTable {
 public:
  RopeTable(const RopeParameters& parameters, std::size_t first, std::size_t count);

  [[nodiscard]] std::size_t pairs() const { return pairs_; }
  // One value per pair; the position must be of the table.
  [[nodiscard]] std::span<const float> cosines(std::size_t position) const;
  [[nodiscard]] std::span<const float> sines(std::size_t position) const;

 private:
  std::size_t first_;
  std::size_t count_;
  std::size_t pairs_;
  std::vector<float> cosines_;
  std::vector<float> sines_;
};

// How the two values of a pair lie in a head's rows.
enum class RopeLayout : std::uint8_t {
  kHalfSplit,    // (i, i + dimensions/2): checkpoints of transformers
  kInterleaved,  // (2i, 2i+1): GGUF files of architectures with permuted q and k
};

// Rotates `heads` heads of `head_dim` values in `row` for one position. The result is half-split
// for either layout, so that what follows adds in one order. Values beyond the rotated ones stay.
void apply_rope(Backend backend, const RopeTable& table, RopeLayout layout, std::size_t position,
                std::size_t heads, std::size_t head_dim, std::span<float> row);

}  // namespace qbuild::kernels
