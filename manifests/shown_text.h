#pragma once
// Characters that do not show what they are: controls of terminals, breaks of lines, and marks of
// direction, which let a text read as another one. In a name they deceive, in a message they can do
// worse.

#include <string>
#include <string_view>

namespace qbuild::manifests {

// None of them is in the text.
//   text  UTF-8
[[nodiscard]] bool shows_all(std::string_view text);

// The text on one line, with each of them spelled out: \x1b, \u202e. What is not UTF-8 is spelled
// byte by byte.
[[nodiscard]] std::string shown_text(std::string_view text);

}  // namespace qbuild::manifests
