#pragma once
// Unicode as tokenizers need it: valid UTF-8, normal forms, white space. utf8proc stays behind
// unicode.cc.

#include <cstdint>
#include <string>
#include <string_view>

namespace qbuild::models {

// Every byte that belongs to no valid sequence becomes U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);

enum class NormalForm : std::uint8_t { kNfc, kNfd, kNfkc, kNfkd };
// Of valid UTF-8.
[[nodiscard]] std::string normalized(std::string_view text, NormalForm form);

// How many bytes of white space (Unicode's) end, or begin, a text of valid UTF-8.
[[nodiscard]] std::size_t trailing_space_bytes(std::string_view text);
[[nodiscard]] std::size_t leading_space_bytes(std::string_view text);
// Whether the character that ends, or begins, the text is a letter, a digit or an underscore.
[[nodiscard]] bool ends_with_word_character(std::string_view text);
[[nodiscard]] bool begins_with_word_character(std::string_view text);

}  // namespace qbuild::models
