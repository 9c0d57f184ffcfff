#pragma once
// What may stand in a tag where a value is wanted: a dotted name or a literal, with a default.

#include <cstddef>
#include <string_view>

#include "templates/syntax.h"

namespace qbuild::templates {

// Reads
//   expression = operand [ "|" "default" operand ]
//   operand    = "text" | 'text' | 12 | -1.5 | true | false | null | path
//   path       = "." | [ "./" | "../"... ] [ "this" ] name { "." name } | "@" word { "." name }
// In a text literal \" \' \\ \n \t stand for one character each.
//   text    the expression alone, without spaces around
//   offset  of text in the template: recorded in the operands
// Throws Error (kInvalidInput) with a message that has no place: the caller knows it.
[[nodiscard]] Expression parse_expression(std::string_view text, std::size_t offset);

}  // namespace qbuild::templates
