#pragma once
// A GGUF file, or one in parts, as a source of weights (rules/weight_source.h): of any
// architecture, since recipes go by names and metadata, and everything that is not quantized is
// carried over as it is.

#include "formats/gguf_parts.h"
#include "rules/weight_source.h"

namespace qbuild::rules {

// In the order in which files are written.
[[nodiscard]] std::vector<WeightTensor> gguf_weights(const formats::GgufParts& parts,
                                                     std::string_view architecture);

// What its metadata say of the network; 0 for what they do not. Throws Error (kInvalidInput) if
// there is no general.architecture, and for numbers that are none.
[[nodiscard]] NetworkFacts network_facts(const formats::GgufMetadata& metadata);

// The metadata of a file made from one with these: all pairs in their order, but for what the file
// says of itself: general.file_type, general.quantization_version, general.alignment (if it is
// there) and what is wished for.
[[nodiscard]] formats::GgufMetadata carried_metadata(const formats::GgufMetadata& source,
                                                     const HeaderWishes& wishes);

[[nodiscard]] std::unique_ptr<WeightSource> open_gguf_weights(FileSystem& files,
                                                              const fs::path& path);

}  // namespace qbuild::rules
