#pragma once
// From files to a Manifest. The key reference is manifests/README.md; the table behind it
// manifests/keys.h.
//
// Any thread. Bounded: see the constants of manifests/limits.h.

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "manifests/diagnostic.h"
#include "manifests/manifest.h"

namespace qbuild::manifests {

enum class FileChecks : std::uint8_t {
  kSkip,
  kCheck,  // source folders, templates and texts must be there
};

struct LoadResult {
  Manifest manifest;  // without diagnostics: whole; with some: only `files` means anything
  std::vector<Diagnostic> diagnostics;
};

// Told of each file (absolute path) right before it is read, so that a caller who will ask "is it
// still what I read?" can look at it first.
using BeforeRead = std::function<void(const fs::path&)>;

// Loads manifests that stand side by side: each has its own defaults and sets, all models make one
// list. Relative paths are relative to the process and show up in messages as they are.
//   paths  at least one
// Throws only what the disk throws beyond missing and unreadable files, which are diagnostics.
[[nodiscard]] LoadResult try_load(FileSystem& files, std::span<const fs::path> paths,
                                  FileChecks checks = FileChecks::kCheck,
                                  const BeforeRead& before_read = {});

// The same for those who go no further: throws Error (kInvalidInput) with all diagnostics, one per
// line.
[[nodiscard]] Manifest load(FileSystem& files, std::span<const fs::path> paths,
                            FileChecks checks = FileChecks::kCheck,
                            const BeforeRead& before_read = {});

}  // namespace qbuild::manifests
