#pragma once
// The metadata of a GGUF made from a Llama checkpoint, in the order in which the reference's
// converter writes it (docs/gguf.md), and digests of its parts.

#include <cstdint>
#include <string>
#include <vector>

#include "formats/config.h"
#include "formats/gguf.h"
#include "formats/tokenizer_json.h"

namespace qbuild::formats {

struct GgufGeneral {
  std::string name;  // general.name, from the source
  std::uint64_t parameters = 0;
  std::uint32_t file_type = 0;
};

// Throws Error: kUnsupported for a pre-tokenizer that no runtime has a name for, or for scaling of
// the rotation that GGUF cannot say; kInvalidInput for tokens that contradict the configuration.
[[nodiscard]] GgufMetadata llama_metadata(const GgufGeneral& general, const ModelConfig& config,
                                          const TokenizerJson& tokenizer,
                                          const TokenizerConfig& tokenizer_config);

// The tensor rope_freqs.weight that Llama 3's scaling needs: head_dim / 2 factors; empty without
// it.
[[nodiscard]] std::vector<float> llama3_rope_factors(const ModelConfig& config);

// "4.1M", "7.0B": a count in the naming convention's size label.
[[nodiscard]] std::string size_label(std::uint64_t parameters);

// SHA-256, hex, over the pairs' bytes as a file has them.
struct GgufDigests {
  std::string hyperparameters;  // what the network computes with
  std::string tokenizer;        // without chat templates
  std::string chat_template;
  std::string general;  // names, licences, types: what says something of the file
};
[[nodiscard]] GgufDigests digest_metadata(const GgufMetadata& metadata);

}  // namespace qbuild::formats
