#pragma once
// From text to a tree of nodes.

#include <cstddef>
#include <string_view>

#include "templates/syntax.h"

namespace qbuild::templates {

// Parses a template or partial.
//   indent  put in front of every line that is not empty before parsing: how a partial that stands
//   alone
//           on its line is indented (the Mustache specification, partials)
// Throws Error (kInvalidInput), "NAME:LINE:COLUMN: ...": blocks that do not match, unknown helpers,
// names that cannot be read, and what scan() refuses.
[[nodiscard]] Program parse_program(std::string_view text, std::string_view name,
                                    std::string_view indent = {});

}  // namespace qbuild::templates
