#pragma once
// A JSON file of a checkpoint folder, with errors that name it.

#include "base/digest.h"
#include "base/file_system.h"
#include "base/json.h"

namespace qbuild::formats {

// tokenizer.json of the largest vocabularies has some 35 MB.
inline constexpr std::uint64_t kMaxJsonFileBytes = 256u << 20;

// Throws Error: kNotFound "FOLDER has no NAME", kInvalidInput for a Git LFS pointer and for bad
// JSON ("PATH:LINE:COLUMN: ...").
[[nodiscard]] Json read_json_file(FileSystem& file_system, const fs::path& path);

// The same with the digest of the very bytes that were parsed, for a reader who also hashes the
// file: what it read and what it hashed may be two versions of it.
struct HashedJson {
  Json value;
  Digest sha256;
};
[[nodiscard]] HashedJson read_hashed_json(FileSystem& file_system, const fs::path& path);

}  // namespace qbuild::formats
