#pragma once
// Patterns of names: '*' stands for any characters (also none, also ':' and '/'), '?' for one.

#include <string_view>

namespace qbuild {

// Linear in time for any pattern of n characters and text of m: at most n * m steps, no recursion.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace qbuild
