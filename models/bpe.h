#pragma once
// Byte-pair merging of one word, and the spelling of bytes as characters that byte-level
// vocabularies use.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace qbuild::models {

// Bytes 33-126, 161-172 and 174-255 are spelled as the code points of their numbers, the other 68
// in increasing order as U+0100, U+0101, ... Source: GPT-2's vocabulary; docs/checkpoint.md.
[[nodiscard]] std::string spell_bytes(std::string_view bytes);
// The reverse; what is no such spelling is kept as it is.
[[nodiscard]] std::string unspell_bytes(std::string_view spelled);

class Bpe {
 public:
  // tokens  by id; empty ones do not exist
  // merges  by rank: left and right part; a merge whose parts or result are no tokens is
  // kInvalidInput
  Bpe(const std::vector<std::string>& tokens,
      const std::vector<std::pair<std::string, std::string>>& merges, bool ignore_merges);

  // Appends the tokens of one word (spelled). The adjacent pair of the lowest rank is merged first,
  // the leftmost on a tie. A character that is no token is left out, as the reference leaves it
  // out. n log n in the length of the word. Any thread.
  void encode_word(std::string_view word, std::vector<std::int32_t>& ids) const;

  [[nodiscard]] std::int32_t find(std::string_view token) const;  // -1: no such token

 private:
  struct Merge {
    std::uint32_t rank = 0;
    std::int32_t result = -1;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> ids_;
  std::unordered_map<std::uint64_t, Merge> merges_;  // key: left id and right id
  bool ignore_merges_;
};

}  // namespace qbuild::models
