#pragma once
// One safetensors file: its header, checked before anything in it is used. Source: the safetensors
// specification; docs/checkpoint.md.
//
//   u64 N (little-endian) | N bytes of JSON | data to the end of the file
//   JSON: name -> {"dtype", "shape", "data_offsets": [begin, end]}, and "__metadata__"
//
// Ranges are relative to the data; sorted by begin they touch without holes or overlaps and end
// where the file ends. Any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/file_system.h"

namespace qbuild::formats {

// A tensor takes some 100 bytes; the largest published files have some ten thousand. The reference
// reader takes three times as much, which is more than it is safe to hold in memory as values.
inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = std::uint64_t{32} << 20U;
inline constexpr std::uint64_t kMaxSafetensorsMemoryBytes = std::uint64_t{80} << 20U;
inline constexpr std::size_t kMaxSafetensorsDimensions = 8;

struct SafetensorsEntry {
  std::string name;
  std::string dtype_text;            // as the file says: "BF16", "F8_E4M3"
  std::optional<DType> dtype;        // nothing for types that qbuild does not read
  std::vector<std::uint64_t> shape;  // as in PyTorch: rows first
  std::uint64_t offset = 0;          // from the start of the file
  std::uint64_t size_bytes = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // sorted by offset
};

// Throws Error: kInvalidInput for a Git LFS pointer (with the way out), kExhausted for a header
// beyond the bounds, kCorrupt for anything else that is not a safetensors file; messages begin with
// `name` and say which tensor, or line and column of the header.
[[nodiscard]] SafetensorsHeader read_safetensors_header(const ReadableFile& file,
                                                        const std::string& name);

// True for the text that git-lfs leaves in place of a file it did not fetch.
[[nodiscard]] bool is_lfs_pointer(std::string_view beginning);
// Throws kInvalidInput "PATH is a Git LFS pointer, not the file itself; run ..." if it is one.
void refuse_lfs_pointer(std::string_view beginning, const fs::path& path);

}  // namespace qbuild::formats
