#include "templates/place.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "templates/limits.h"

namespace qbuild::templates {
namespace {

bool starts_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

}  // namespace

std::string for_message(std::string_view text) {
  std::size_t end = std::min(text.size(), kMaxMessageBytes);
  while (end > 0 && end < text.size() && !starts_code_point(text[end])) --end;
  std::string out;
  for (const char byte : visible(text.substr(0, end))) {
    if (byte == '\n')
      out += "\\x0a";
    else if (byte == '\t')
      out += "\\x09";
    else
      out += byte;
  }
  return end < text.size() ? out + "..." : out;
}

Error error_at(std::string_view place, std::string_view message, ErrorKind kind) {
  return Error(kind, for_message(fmt::format("{}: {}", place, message)));
}

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
