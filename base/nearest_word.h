#pragma once
// "did you mean": the word nearest to a mistyped one.

#include <span>
#include <string>
#include <string_view>

namespace qbuild {

// The known word with the smallest edit distance (case ignored, swapped neighbours count once), if
// it is near enough to be meant (at most a third of the length, at least one); empty otherwise.
// First on a tie.
[[nodiscard]] std::string_view nearest_word(std::string_view word,
                                            std::span<const std::string_view> known);

// "; did you mean \"X\"?" or "".
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> known);

}  // namespace qbuild
