#include "models/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "base/error.h"

namespace qbuild::models {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The character at the beginning of `text` and its bytes; -1 if it is none.
struct Character {
  utf8proc_int32_t code_point = -1;
  std::size_t bytes = 0;
};

Character first_character(std::string_view text) {
  Character character;
  const auto length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(text.size()), &character.code_point);
  character.bytes = length > 0 ? static_cast<std::size_t>(length) : 0;
  return character;
}

Character last_character(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0 && text.size() - begin < 4) {
    --begin;
    if ((static_cast<unsigned char>(text[begin]) & 0xc0u) != 0x80u) break;
  }
  return first_character(text.substr(begin));
}

bool is_space(utf8proc_int32_t c) {
  if ((c >= 0x09 && c <= 0x0d) || c == 0x85) return true;
  const auto category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

bool is_word(utf8proc_int32_t c) {
  const auto category = utf8proc_category(c);
  const bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
  const bool mark = category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
  const bool number = category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
  return letter || mark || number || category == UTF8PROC_CATEGORY_PC;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.bytes == 0) {
      valid += kReplacement;
      text.remove_prefix(1);
    } else {
      valid += text.substr(0, character.bytes);
      text.remove_prefix(character.bytes);
    }
  }
  return valid;
}

std::string normalized(std::string_view text, NormalForm form) {
  int options = UTF8PROC_STABLE;
  options |=
      form == NormalForm::kNfc || form == NormalForm::kNfkc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  if (form == NormalForm::kNfkc || form == NormalForm::kNfkd) options |= UTF8PROC_COMPAT;
  utf8proc_uint8_t* out = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &out,
                                   static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(out, std::free);
  if (length < 0)
    throw Error(ErrorKind::kInvalidInput,
                std::string("normalize text: ") + utf8proc_errmsg(length));
  return {reinterpret_cast<const char*>(out), static_cast<std::size_t>(length)};
}

std::size_t trailing_space_bytes(std::string_view text) {
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const Character last = last_character(text.substr(0, text.size() - bytes));
    if (last.bytes == 0 || !is_space(last.code_point)) break;
    bytes += last.bytes;
  }
  return bytes;
}

std::size_t leading_space_bytes(std::string_view text) {
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const Character first = first_character(text.substr(bytes));
    if (first.bytes == 0 || !is_space(first.code_point)) break;
    bytes += first.bytes;
  }
  return bytes;
}

bool ends_with_word_character(std::string_view text) {
  return !text.empty() && last_character(text).bytes > 0 &&
         is_word(last_character(text).code_point);
}

bool begins_with_word_character(std::string_view text) {
  return !text.empty() && first_character(text).bytes > 0 &&
         is_word(first_character(text).code_point);
}

}  // namespace qbuild::models
