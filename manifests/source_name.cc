#include "manifests/source_name.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace qbuild::manifests {
namespace {

constexpr std::string_view kEnding = ".gguf";
// Types of which variants are made, as file names spell them.
constexpr std::array<std::string_view, 5> kSourceTypes{"F32", "BF16", "F16", "FP16", "Q8_0"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool ends_like(std::string_view text, std::string_view capitals) {
  if (text.size() < capitals.size()) return false;
  return std::equal(capitals.begin(), capitals.end(),
                    text.end() - static_cast<std::ptrdiff_t>(capitals.size()),
                    [](char a, char b) { return a == (b >= 'a' && b <= 'z' ? b - 'a' + 'A' : b); });
}

// "-00001-of-00002"
std::size_t part_number_bytes(std::string_view name) {
  constexpr std::string_view kPattern = "-ddddd-of-ddddd";
  if (name.size() <= kPattern.size()) return 0;
  const std::string_view tail = name.substr(name.size() - kPattern.size());
  const bool fits = std::equal(tail.begin(), tail.end(), kPattern.begin(), [](char c, char wanted) {
    return wanted == 'd' ? is_digit(c) : c == wanted;
  });
  return fits ? kPattern.size() : 0;
}

}  // namespace

bool is_gguf_path(const std::filesystem::path& path) {
  return path.native().ends_with(kEnding);
}

std::string source_name(const std::filesystem::path& path) {
  std::string file = path.filename().string();
  if (!is_gguf_path(path)) return file;
  std::string_view name = file;
  name.remove_suffix(kEnding.size());
  name.remove_suffix(part_number_bytes(name));
  for (const std::string_view type : kSourceTypes) {
    if (name.size() <= type.size() + 1 || !ends_like(name, type)) continue;
    const char before = name[name.size() - type.size() - 1];
    if (before != '-' && before != '.' && before != '_') continue;
    name.remove_suffix(type.size() + 1);
    break;
  }
  return std::string(name);
}

}  // namespace qbuild::manifests
