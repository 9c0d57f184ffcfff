#pragma once
// How byte-level tokenizers cut text into words before merging: known patterns and the names that
// GGUF files use for them (tokenizer.ggml.pre). Source: llama.cpp's names (docs/gguf.md); patterns
// as tokenizer.json has them.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace qbuild::formats {

// Several times what any published tokenizer needs.
inline constexpr std::size_t kMaxPatterns = 16;
inline constexpr std::size_t kMaxPatternBytes = 1U << 14U;

struct Splitter {
  // Applied one after the other: each cuts every piece into its matches and what lies between.
  std::vector<std::string> patterns;  // PCRE syntax, with Unicode properties
  bool add_prefix_space = false;
  friend bool operator==(const Splitter&, const Splitter&) = default;
};

// From a tokenizer.json's pre_tokenizer: Split (isolated), Digits, ByteLevel and sequences of them;
// null is no cutting. Throws Error (kUnsupported) naming the kind that is not, kExhausted for
// patterns beyond the bounds.
[[nodiscard]] Splitter splitter_from_json(const Json& pre_tokenizer);

// True for the patterns of the table of names: they take time in proportion to the text, which may
// not be said of what a stranger wrote.
[[nodiscard]] bool is_known_pattern(std::string_view pattern);

// The name under which llama.cpp cuts in this way. Throws Error (kUnsupported) that shows the
// pattern.
[[nodiscard]] std::string pre_name(const Splitter& splitter, bool ignore_merges);

struct NamedSplitter {
  Splitter splitter;
  bool ignore_merges = false;
  bool add_bos = false;  // where the file does not say
};
// Throws Error (kUnsupported) for a name that is not known here.
[[nodiscard]] NamedSplitter splitter_from_pre_name(std::string_view name);

}  // namespace qbuild::formats
