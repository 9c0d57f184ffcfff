#include "templates/expression.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/nearest_word.h"
#include "templates/limits.h"

namespace qbuild::templates {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
// Characters with a meaning somewhere in the language; a name that holds one is a slip.
constexpr std::string_view kNotInNames = "|\"'()[]{}=<>#^&!;,`/@";

[[noreturn]] void fail(std::string message) {
  throw Error(ErrorKind::kInvalidInput, std::move(message));
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    ++i;  // the closing quote was found, so a backslash is never last
    switch (text[i]) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case '\\':
      case '"':
      case '\'':
        out += text[i];
        break;
      default:
        fail(fmt::format("unknown escape \"\\{}\" in a text literal", text[i]));
    }
  }
  return out;
}

std::optional<Json> literal_of(std::string_view word) {
  if (word == "true") return Json(true);
  if (word == "false") return Json(false);
  if (word == "null") return Json(nullptr);
  const bool digit = word.front() >= '0' && word.front() <= '9';
  if (!digit && !(word.front() == '-' && word.size() > 1)) return std::nullopt;
  const char* const end = word.data() + word.size();
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(word.data(), end, whole);
      read.ec == std::errc{} && read.ptr == end)
    return Json(whole);
  double number = 0;
  if (const auto read = std::from_chars(word.data(), end, number);
      read.ec == std::errc{} && read.ptr == end)
    return Json(number);
  return std::nullopt;
}

void add_parts(Path& path, std::string_view names, std::string_view whole) {
  while (true) {
    const std::size_t dot = names.find('.');
    const std::string_view part = names.substr(0, dot);
    if (part.empty() || part.find_first_of(kNotInNames) != std::string_view::npos)
      fail(fmt::format("\"{}\" is not a name", whole));
    if (path.parts.size() == kMaxPathParts)
      fail(fmt::format("a name has at most {} parts", kMaxPathParts));
    path.parts.emplace_back(part);
    if (dot == std::string_view::npos) return;
    names.remove_prefix(dot + 1);
  }
}

Path data_path(std::string_view word) {
  static constexpr std::array<std::string_view, 5> kWords{"@root", "@index", "@first", "@last",
                                                          "@key"};
  static constexpr std::array<PathRoot, 5> kRoots{
      PathRoot::kDocument, PathRoot::kIndex, PathRoot::kFirst, PathRoot::kLast, PathRoot::kKey};
  const std::size_t dot = word.find('.');
  const std::string_view head = word.substr(0, dot);
  Path path;
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (head != kWords[i]) continue;
    path.root = kRoots[i];
    if (dot == std::string_view::npos) return path;
    if (path.root != PathRoot::kDocument) fail(fmt::format("\"{}\" has no members", head));
    add_parts(path, word.substr(dot + 1), word);
    return path;
  }
  const std::string meant = did_you_mean(head, kWords);
  fail(fmt::format("unknown word \"{}\"{}", head,
                   meant.empty() ? "; there are @root, @index, @first, @last and @key" : meant));
}

Path path_of(std::string_view word) {
  if (word.size() > kMaxPathBytes) fail(fmt::format("a name has at most {} bytes", kMaxPathBytes));
  if (word.front() == '@') return data_path(word);
  Path path;
  std::string_view rest = word;
  if (rest.starts_with("./")) {
    path.root = PathRoot::kContext;
    rest.remove_prefix(2);
  }
  while (rest == ".." || rest.starts_with("../")) {
    path.root = PathRoot::kContext;
    if (++path.parents > kMaxPathParts) fail(fmt::format("at most {} \"../\"", kMaxPathParts));
    rest.remove_prefix(rest == ".." ? 2 : 3);
    if (rest.empty() && !word.ends_with('/')) return path;
  }
  if (rest == "." || rest == "this") {
    path.root = PathRoot::kContext;
    return path;
  }
  for (const std::string_view self : {"this.", "this/"})
    if (rest.starts_with(self)) {
      path.root = PathRoot::kContext;
      rest.remove_prefix(self.size());
      break;
    }
  add_parts(path, rest, word);
  return path;
}

// Takes one operand off the front of `rest`, and the spaces behind it.
Operand take_operand(std::string_view& rest, std::size_t offset) {
  Operand operand;
  operand.offset = offset;
  const char quote = rest.front();
  std::size_t length = 0;
  if (quote == '"' || quote == '\'') {
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != quote) end += rest[end] == '\\' ? 2U : 1U;
    if (end >= rest.size()) fail(fmt::format("a text literal lacks its closing {}", quote));
    operand.literal = Json(unescape(rest.substr(1, end - 1)));
    length = end + 1;
  } else {
    length = std::min(rest.find_first_of(" \t\r\n|"), rest.size());
    if (length == 0) fail("there is no name in front of \"|\"");
    const std::string_view word = rest.substr(0, length);
    operand.literal = literal_of(word);
    if (!operand.literal) operand.path = path_of(word);
  }
  operand.text = std::string(rest.substr(0, length));
  rest.remove_prefix(length);
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpaces), rest.size()));
  return operand;
}

}  // namespace

Expression parse_expression(std::string_view text, std::size_t offset) {
  if (text.empty()) fail("there is no name in this tag");
  std::string_view rest = text;
  Expression expression;
  expression.value = take_operand(rest, offset);
  if (rest.empty()) return expression;
  if (rest.front() != '|')
    fail(fmt::format("cannot read \"{}\" after \"{}\"; there is only: name | default value", rest,
                     expression.value.text));
  rest.remove_prefix(1);
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpaces), rest.size()));
  constexpr std::string_view kDefault = "default";
  const std::string_view word = rest.substr(0, rest.find_first_of(kSpaces));
  if (word != kDefault)
    fail(fmt::format("unknown filter \"{}\"; there is only: name | default value", word));
  rest.remove_prefix(kDefault.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpaces), rest.size()));
  if (rest.empty()) fail("\"default\" needs a value, as in {{name | default \"n/a\"}}");
  expression.fallback = take_operand(rest, offset + (text.size() - rest.size()));
  if (!rest.empty()) fail(fmt::format("cannot read \"{}\" after the default", rest));
  return expression;
}

}  // namespace qbuild::templates
