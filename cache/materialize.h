#pragma once
// Putting content of the store under a user's name.

#include <cstdint>
#include <string>

#include "base/digest.h"
#include "base/file_system.h"
#include "cache/content.h"

namespace qbuild::cache {

// How a blob reached a user's folder, best first.
enum class Materialized : std::uint8_t { kAlreadyThere, kClone, kHardLink, kCopy };

// Puts the file `blob`, whose content is `content`, at `to`: reflink, read-only hard link or copy,
// in that order, written beside and renamed. A file there that already is this content (same inode,
// or same size and digest) is left alone. What killed processes of this host have left in the
// folder is removed. Missing folders are made. Throws kNotFound if there is no `blob`, kCorrupt if
// it is not `content` (its size always, its digest where it is copied), kInvalidInput if `to` is a
// folder; `to` is then as it was.
Materialized materialize(FileSystem& file_system, const fs::path& blob, const Content& content,
                         const fs::path& to);

}  // namespace qbuild::cache
