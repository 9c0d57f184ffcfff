#pragma once
// What is to be known of a network beside its weights. models/checkpoint_source.h and
// models/gguf_source.h read it; check_parameters holds it to the limits below.

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/network_limits.h"
#include "kernels/rope.h"

namespace qbuild::models {

using formats::kMaxContext;
using formats::kMaxLayers;
using formats::kMaxVocabulary;
using formats::kMaxWidth;

struct HyperParameters {
  std::string architecture;  // "llama"
  std::uint64_t layers = 0;
  std::uint64_t hidden = 0;
  std::uint64_t feed_forward = 0;
  std::uint64_t heads = 0;
  std::uint64_t kv_heads = 0;
  std::uint64_t head_dim = 0;
  std::uint64_t vocabulary = 0;
  std::uint64_t context = 0;  // positions that the network was made for
  double norm_epsilon = 0;
  bool tied_output = false;  // the output matrix is the embedding
  // That q, k, v and output, or gate, up and down must have biases; where not said, they may.
  bool attention_bias = false;
  bool feed_forward_bias = false;
  kernels::RopeParameters rope;
  kernels::RopeLayout rope_layout = kernels::RopeLayout::kHalfSplit;

  [[nodiscard]] std::uint64_t query_width() const { return heads * head_dim; }
  [[nodiscard]] std::uint64_t kv_width() const { return kv_heads * head_dim; }
};

// Throws kInvalidInput "config.json: num_attention_heads is 0, ..." for counts that are zero,
// beyond the bounds, or do not fit one another.
//   place  the file the parameters come from, for the message
void check_parameters(const HyperParameters& parameters, std::string_view place);

// Throws kUnsupported for an architecture that nothing here runs; the message names it and what is
// supported.
void check_architecture(std::string_view architecture, std::string_view place);

}  // namespace qbuild::models
