#pragma once
// A commit of a directory hub: one immutable file that holds the whole tree and is named by its own
// bytes, so that a reader notices any change to it.
//
// File: "qbuild-commit 1\n", then one JSON document on one line and a newline; docs/hub.md lists
// its members. Name: the SHA-1 of the file, 40 hex digits.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"

namespace qbuild::hub {

// Version history: 1 first.
inline constexpr std::uint32_t kCommitVersion = 1;
// The Hub advises to stay below; also bounds what a reader allocates.
inline constexpr std::size_t kMaxTreeFiles = 100'000;
inline constexpr std::uint64_t kMaxCommitBytes = 48u << 20;

struct CommitObject {
  std::string parent;  // 40 hex digits, or empty for the first
  std::string message;
  std::string author;
  std::int64_t unix_seconds = 0;
  std::vector<TreeEntry> tree;  // sorted by path; every entry has its sha256
  bool operator==(const CommitObject&) const = default;
};

// Equal commits give equal bytes. `check`s what apply_edit and the hub have made sure of.
[[nodiscard]] std::string serialize(const CommitObject& commit);
[[nodiscard]] std::string commit_id(std::string_view serialized);

// Throws Error (kCorrupt) on bytes that are not named `id` or that serialize would not write.
[[nodiscard]] CommitObject parse_commit(std::string_view id, std::string_view bytes);

[[nodiscard]] CommitInfo info_of(std::string_view id, const CommitObject& commit);

// An entry for content of which the bytes are at hand, or of which digest and size are known.
[[nodiscard]] TreeEntry regular_entry(std::string path, std::string_view bytes);
[[nodiscard]] TreeEntry lfs_entry(std::string path, const Digest& sha256, std::uint64_t size_bytes);

// "regular", "lfs"
[[nodiscard]] std::string_view storage_name(Storage storage);

}  // namespace qbuild::hub
