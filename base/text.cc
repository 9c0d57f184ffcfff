#include "base/text.h"

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <random>

#include "base/json.h"

namespace qbuild {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

bool is_utf8(std::string_view text) {
  // JSON is where such text goes: what it cannot carry it replaces, and that shows.
  const Json carried{text};
  return Json::parse(carried.dump()) == carried;
}

std::string visible(std::string_view text) {
  const bool is_text = is_utf8(text);
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_layout = text[i] == '\n' || text[i] == '\t';
    const bool is_ascii_control = (byte(i) < 0x20 && !is_layout) || byte(i) == 0x7F;
    // U+0080 to U+009F: terminals take some of them for the beginning of a sequence.
    const bool is_c1 = is_text && byte(i) == 0xC2 && byte(i + 1) < 0xA0;
    if (is_c1) ++i;
    if (is_c1 || is_ascii_control || (!is_text && byte(i) >= 0x80)) {
      shown += "\\x" + to_hex(text.substr(i, 1));
    } else {
      shown.push_back(text[i]);
    }
  }
  return shown;
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

bool is_lower_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

std::string to_hex(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    hex.push_back(kHexDigits[byte / 16U]);
    hex.push_back(kHexDigits[byte % 16U]);
  }
  return hex;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(kHexDigits.find(hex[i]) * 16 + kHexDigits.find(hex[i + 1])));
  }
  return bytes;
}

std::string unique_name() {
  std::random_device source;
  std::string bytes;
  for (int word = 0; word < 4; ++word) {
    const std::uint32_t random = source();
    for (unsigned shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<char>(random >> shift));
  }
  return to_hex(bytes);
}

}  // namespace qbuild
