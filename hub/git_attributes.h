#pragma once
// Which files a repository keeps outside its tree (git-lfs), as the Hub decides it: by
// .gitattributes, by size, by the bytes. Sources: gitattributes(5), gitignore(5) for patterns, the
// git-lfs pointer specification v1, and the .gitattributes with which the Hub begins a model
// repository.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"

namespace qbuild::hub {

inline constexpr const char* kAttributesPath = ".gitattributes";
// The Hub adds a line for each large file: some ten kilobytes.
inline constexpr std::uint64_t kMaxAttributesBytes = 1u << 18;

// What a new repository begins with: the Hub's own 35 lines, and one for *.gguf, which the Hub
// would otherwise add file by file.
[[nodiscard]] std::string default_git_attributes();

// Patterns and whether they mean lfs; the last line that matches decides.
class GitAttributes {
 public:
  // Lines that say nothing about the filter, and lines of more than 2048 bytes, are passed over, as
  // git does. Anything parses.
  explicit GitAttributes(std::string_view text);
  [[nodiscard]] bool is_lfs(std::string_view path) const;

 private:
  struct Line {
    std::string pattern;
    bool lfs = false;
  };
  std::vector<Line> lines_;
};

// The line that makes exactly `path` lfs, with its newline.
[[nodiscard]] std::string attributes_line(std::string_view path);

// Whether `path`, without a leading '/', matches a pattern of gitattributes: '*' and '?' within one
// part,
// "**" across parts, [a-z] and [!a-z], '\' before a character that is meant. A pattern without '/'
// is matched with the last part alone. Time: pattern length times path length.
[[nodiscard]] bool attribute_pattern_matches(std::string_view pattern, std::string_view path);

// A zero byte among the first 8000, as git judges.
[[nodiscard]] bool looks_binary(std::string_view bytes);

// The three lines that stand in git for a file kept by git-lfs.
[[nodiscard]] std::string lfs_pointer(const Digest& sha256, std::uint64_t size_bytes);

}  // namespace qbuild::hub
