#pragma once
// A JSON file of a checkpoint folder, with errors that name it.

#include "base/digest.h"
#include "base/file_system.h"
#include "base/json.h"

namespace qbuild::formats {

// How much is read of a file and what its values may take in memory, by its name: the
// tokenizer.json of the largest vocabularies has some 35 MB, a tokenizer_config.json that lists as
// many added tokens ten, any other a few kilobytes.
struct JsonFileLimits {
  std::uint64_t file_bytes = std::uint64_t{2} << 20U;
  std::uint64_t memory_bytes = std::uint64_t{64} << 20U;
};
[[nodiscard]] JsonFileLimits limits_of_json_file(const fs::path& path);

// Throws Error: kNotFound "FOLDER has no NAME", kInvalidInput for a Git LFS pointer and for bad
// JSON ("PATH: LINE:COLUMN: ..."), kExhausted beyond the limits.
[[nodiscard]] Json read_json_file(FileSystem& file_system, const fs::path& path);

// The same with the digest of the very bytes that were parsed, for a reader who also hashes the
// file: what it read and what it hashed may be two versions of it.
struct HashedJson {
  Json value;
  Digest sha256;
};
[[nodiscard]] HashedJson read_hashed_json(FileSystem& file_system, const fs::path& path);

}  // namespace qbuild::formats
