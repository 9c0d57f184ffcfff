#pragma once
// A GGUF file as an artifact: the digests of its parts on which consumers depend alone, and what a
// card says of it. Read from the finished file by our own reader, so it doubles as its
// verification.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "formats/gguf_writer.h"

namespace qbuild::rules {

struct GgufDescription {
  // "tensors" (names, types, shapes and checksums), "hyperparameters", "tokenizer", "template",
  // "general".
  std::map<std::string, std::string> facets;
  // {"architecture", "file_type", "parameters", "bits_per_weight", "tensor_count", "types":
  // {"Q4_K": n, ...}}
  Json facts;
  std::vector<std::string> checksums;  // of each tensor's bytes (xxh3_hex), in the file's order
};

// Reads the whole file once, on so many threads. Throws Error (kCorrupt) for anything a reader
// would stumble over.
[[nodiscard]] GgufDescription describe_gguf(FileSystem& files, const fs::path& path,
                                            unsigned threads = 1);

// Reads the header. Throws Error (kCorrupt) that names the first tensor that differs, unless the
// file holds exactly the planned ones, with their shapes and types, in their order.
void require_tensors(FileSystem& files, const fs::path& path,
                     std::span<const formats::GgufTensorSpec> planned);

}  // namespace qbuild::rules
