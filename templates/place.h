#pragma once
// Where in a template something stands: "card.md.mustache:12:5".

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace qbuild::templates {

// Texts of a template in a message: cut to kMaxMessageBytes, on one line, with control characters
// and what is not UTF-8 spelled out ("\\x1b").
[[nodiscard]] std::string for_message(std::string_view text);

// name:line:column of the byte at `offset` (clamped to the text). Line and column count from 1,
// columns in code points; `indent_columns` of each line were put there by the renderer and are not
// counted.
[[nodiscard]] std::string place_of(std::string_view name, std::string_view text, std::size_t offset,
                                   std::size_t indent_columns = 0);

// "PLACE: MESSAGE", as for_message has it.
[[nodiscard]] Error error_at(std::string_view place, std::string_view message,
                             ErrorKind kind = ErrorKind::kInvalidInput);

}  // namespace qbuild::templates
