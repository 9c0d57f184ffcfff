#pragma once
// Added tokens of a tokenizer, found in a text.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/tokenizer_json.h"

namespace qbuild::models {

class AddedTokens {
 public:
  AddedTokens() = default;
  // Those without a text are never found; of two with one text the one of the lower id is.
  explicit AddedTokens(std::vector<formats::AddedToken> tokens);

  // The longest that stands at text[at]; one that must be a single word only where letters, digits
  // and underscores do not touch it. Null if there is none. However many tokens there are, the time
  // is that of finding a word in a dictionary, and of as many looks as tokens begin one another.
  [[nodiscard]] const formats::AddedToken* find(std::string_view text, std::size_t at) const;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::vector<formats::AddedToken> tokens_;  // by text
  // Of each token the longest other one that it begins with.
  std::vector<std::uint32_t> beginnings_;
  std::vector<bool> first_bytes_ = std::vector<bool>(256, false);
};

}  // namespace qbuild::models
