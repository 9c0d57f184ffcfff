#include "templates/place.h"

#include <fmt/core.h>

#include <algorithm>

namespace qbuild::templates {
namespace {

bool starts_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

}  // namespace

std::string place_of(std::string_view name, std::string_view text, std::size_t offset,
                     std::size_t indent_columns) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  const std::string_view in_line =
      newline == std::string_view::npos ? before : before.substr(newline + 1);
  const auto columns =
      static_cast<std::size_t>(std::count_if(in_line.begin(), in_line.end(), starts_code_point));
  return fmt::format("{}:{}:{}", name, line, columns - std::min(columns, indent_columns) + 1);
}

}  // namespace qbuild::templates
