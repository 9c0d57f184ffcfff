#include "base/shown.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace qbuild {
namespace {

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

std::string shown(std::string_view text) {
  std::size_t end = std::min(text.size(), kMaxShownBytes);
  if (end < text.size()) {
    // A character that the cut would divide goes as a whole; it has at most four bytes.
    const std::size_t least = end - 3;
    while (end > least && continues_character(text[end])) --end;
  }
  const std::string_view beginning = text.substr(0, end);
  std::string line(beginning);
  if (std::any_of(line.begin(), line.end(), is_control) || !is_utf8(line)) {
    const std::string quoted = Json(beginning).dump();
    line = quoted.substr(1, quoted.size() - 2);
  }
  if (end < text.size()) line += fmt::format("... ({} bytes)", text.size());
  return line;
}

}  // namespace qbuild
