#pragma once
// The templates that come with qbuild: the files of templates/card, built into the program by
// templates/embed.cmake, so that they are found wherever the program is installed.

#include <optional>
#include <string_view>
#include <vector>

namespace qbuild::templates {

// The template for a repository's card (templates/card/README.md describes its document).
inline constexpr std::string_view kCardTemplate = "card";

// The text of a built-in template or partial by its name: the file name without ".md.mustache"
// ("card", "variants", "usage", ...). The view lives as long as the program.
[[nodiscard]] std::optional<std::string_view> builtin_template(std::string_view name);

// All names, sorted.
[[nodiscard]] std::vector<std::string_view> builtin_template_names();

}  // namespace qbuild::templates
