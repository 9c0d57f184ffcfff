#pragma once
// Small judgements about text, and names that nobody else has.

#include <cstdint>
#include <string>
#include <string_view>

namespace qbuild {

// Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. Source: RFC 3629.
[[nodiscard]] bool is_utf8(std::string_view text);

// For terminals: control characters other than newline and tab as "\x1b"; in text that is not
// UTF-8, every byte outside of ASCII too.
[[nodiscard]] std::string visible(std::string_view text);

// "1 model", "2 models".
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view noun);

// Only 0-9 and a-f; empty is not.
[[nodiscard]] bool is_lower_hex(std::string_view text);

// Two digits per byte, lower-case; and back. from_hex requires is_lower_hex and an even length.
[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] std::string from_hex(std::string_view hex);

// 32 hex digits that no other call, process or host has made: names of files that nobody looks up.
[[nodiscard]] std::string unique_name();

}  // namespace qbuild
