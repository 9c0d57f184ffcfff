#pragma once
// Reading content once: hashing a file, and copying one while hashing it. Memory is bounded by one
// buffer, whatever the file's size.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/file_system.h"

namespace qbuild::cache {

struct Content {
  Digest sha256;
  std::uint64_t size_bytes = 0;
  bool operator==(const Content&) const = default;
};

// Called with the bytes of each piece; may be empty.
using ProgressFn = std::function<void(std::uint64_t piece_bytes)>;

[[nodiscard]] Content hash_file(FileSystem& file_system, const fs::path& path,
                                const ProgressFn& progress = {});

// Of a file that somebody may still write to: nothing if it changed while it was read. Ends also
// where it grows without end.
[[nodiscard]] std::optional<Content> hash_unchanged_file(FileSystem& file_system,
                                                         const fs::path& path);

// Copies `from` to the new file `to`, flushed. Returns what was copied; the caller compares. Throws
// kExhausted "copy ... needs N bytes, M are free" before the first byte if the disk says so.
Content copy_file(FileSystem& file_system, const fs::path& from, const fs::path& to,
                  std::uint64_t size_bytes);

// Makes the bytes of a finished file durable, whoever wrote them.
void flush_file(FileSystem& file_system, const fs::path& path);

// Creates a folder and makes its name durable. Nothing to do if it is there.
void ensure_folder(FileSystem& file_system, const fs::path& folder);

// Names in a folder; none if there is no such folder.
[[nodiscard]] std::vector<std::string> list_if_there(FileSystem& file_system,
                                                     const fs::path& folder);

}  // namespace qbuild::cache
