#pragma once
// Where in a template something stands: "card.md.mustache:12:5".

#include <cstddef>
#include <string>
#include <string_view>

namespace qbuild::templates {

// name:line:column of the byte at `offset` (clamped to the text). Line and column count from 1,
// columns in code points; `indent_columns` of each line were put there by the renderer and are not
// counted.
[[nodiscard]] std::string place_of(std::string_view name, std::string_view text, std::size_t offset,
                                   std::size_t indent_columns = 0);

}  // namespace qbuild::templates
