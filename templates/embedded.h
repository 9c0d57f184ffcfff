#pragma once
// What templates/embed.cmake makes of the files in templates/card.

#include <span>
#include <string_view>

namespace qbuild::templates {

struct EmbeddedFile {
  std::string_view name;  // without folder and ".md.mustache"
  std::string_view text;
};

// Sorted by name. Lives as long as the program.
[[nodiscard]] std::span<const EmbeddedFile> embedded_files();

}  // namespace qbuild::templates
