#pragma once
// Names from outside, as messages show them.

#include <cstddef>
#include <string>
#include <string_view>

namespace qbuild {

// Longer than any name that a person gave; a file may call a tensor anything.
inline constexpr std::size_t kMaxShownBytes = 160;

// `text` on one line and as UTF-8, so that no file can write a line of its own under our name: what
// has control characters or is no text is spelled as JSON spells it, what is longer than
// kMaxShownBytes is cut and its size said: "abc... (4000000 bytes)". Anything else stays as it is.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace qbuild
