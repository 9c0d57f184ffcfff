#include "base/shown.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace qbuild {
namespace {

struct Mark {
  std::string_view text;
  std::string_view spelled;
};

// Source: Unicode Standard Annex 9 (explicit directional characters), and the line and paragraph
// separators.
constexpr std::array<Mark, 14> kMarks{{
    {"\u061c", "\\u061c"},
    {"\u200e", "\\u200e"},
    {"\u200f", "\\u200f"},
    {"\u2028", "\\u2028"},
    {"\u2029", "\\u2029"},
    {"\u202a", "\\u202a"},
    {"\u202b", "\\u202b"},
    {"\u202c", "\\u202c"},
    {"\u202d", "\\u202d"},
    {"\u202e", "\\u202e"},
    {"\u2066", "\\u2066"},
    {"\u2067", "\\u2067"},
    {"\u2068", "\\u2068"},
    {"\u2069", "\\u2069"},
}};

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

bool shows_all(std::string_view text) {
  bool is_ascii = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    // U+0080 to U+009F
    const bool is_long = byte == 0xc2 && i + 1 < text.size();
    if (is_long && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
    is_ascii = is_ascii && byte < 0x80;
  }
  return is_ascii || std::none_of(kMarks.begin(), kMarks.end(), [&](const Mark& mark) {
           return text.find(mark.text) != std::string_view::npos;
         });
}

std::string spelled_out(std::string_view text) {
  std::string shown;
  for (const char c : visible(text)) {
    if (c == '\n' || c == '\t')
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      shown += c;
  }
  for (const Mark& mark : kMarks)
    for (std::size_t at = shown.find(mark.text); at != std::string::npos;
         at = shown.find(mark.text, at))
      shown.replace(at, mark.text.size(), mark.spelled);
  return shown;
}

std::string shown(std::string_view text) {
  std::size_t end = std::min(text.size(), kMaxShownBytes);
  if (end < text.size()) {
    // A character that the cut would divide goes as a whole; it has at most four bytes.
    const std::size_t least = end - 3;
    while (end > least && continues_character(text[end])) --end;
  }
  std::string line = spelled_out(text.substr(0, end));
  if (end < text.size()) line += fmt::format("... ({} bytes)", text.size());
  return line;
}

}  // namespace qbuild
