#pragma once
// Names and texts from outside, as messages show them: on one line, so that no file can write a
// line of its own under our name, and with everything spelled out that does not show what it is:
// controls of terminals, breaks of lines, and marks of direction, which let a text read as another
// one.

#include <cstddef>
#include <string>
#include <string_view>

namespace qbuild {

// Nothing in the text would be spelled out.
//   text  UTF-8
[[nodiscard]] bool shows_all(std::string_view text);

// With controls as \x1b, breaks and marks as \u202e. What is not UTF-8 is spelled byte by byte.
[[nodiscard]] std::string spelled_out(std::string_view text);

// Longer than any name that a person gave; a file may call a tensor anything.
inline constexpr std::size_t kMaxShownBytes = 160;

// Spelled out; of what is longer than kMaxShownBytes the beginning and the size: "abc... (4000000
// bytes)".
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace qbuild
