#include "templates/scanner.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "templates/limits.h"
#include "templates/place.h"

namespace qbuild::templates {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trim_right(std::string_view text, std::string_view set) {
  const std::size_t last = text.find_last_not_of(set);
  return last == std::string_view::npos ? text.substr(0, 0) : text.substr(0, last + 1);
}

std::string_view trim_left(std::string_view text, std::string_view set) {
  const std::size_t first = text.find_first_not_of(set);
  return first == std::string_view::npos ? text.substr(text.size()) : text.substr(first);
}

// What stands between two delimiters, and what it does to the text around it.
struct Tag {
  std::optional<TokenKind> kind;  // nothing: a comment or a change of delimiters
  std::string_view content;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool may_stand_alone = false;
  bool eats_before = false;  // {{~
  bool eats_after = false;   // ~}}
};

class Scanner {
 public:
  Scanner(std::string_view text, std::string_view name, std::size_t indent_columns)
      : text_(text), name_(name), indent_columns_(indent_columns) {}

  std::vector<Token> run() {
    while (true) {
      const std::size_t begin = text_.find(open_, at_);
      if (begin == std::string_view::npos) break;
      const Tag tag = read_tag(begin);
      place_tag(tag);
    }
    add_text(text_.substr(at_));
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(std::size_t offset, std::string_view message) const {
    throw error_at(place_of(name_, text_, offset, indent_columns_), message);
  }

  [[nodiscard]] std::size_t find_end(std::size_t begin, std::size_t from,
                                     std::string_view end) const {
    const std::size_t found = text_.find(end, from);
    if (found == std::string_view::npos)
      fail(begin, fmt::format("this tag is not closed; \"{}\" is missing", end));
    return found;
  }

  Tag read_tag(std::size_t begin) {
    Tag tag;
    tag.begin = begin;
    std::size_t at = begin + open_.size();
    if (text_.substr(at).starts_with('~')) {
      tag.eats_before = true;
      ++at;
    }
    const char sign = at < text_.size() ? text_[at] : '\0';
    if (sign == '!') return read_comment(tag, at);
    if (sign == '=') return read_delimiters(tag, at);
    if (sign == '{') return read_braces(tag, at);

    const std::size_t close = find_end(begin, at, close_);
    std::string_view inside = text_.substr(at, close - at);
    tag.end = close + close_.size();
    if (inside.ends_with('~')) {
      tag.eats_after = true;
      inside.remove_suffix(1);
    }
    classify(tag, inside);
    return tag;
  }

  // Two dashes make a comment that may hold tags and ends at two dashes.
  [[nodiscard]] Tag read_comment(Tag tag, std::size_t at) const {
    const bool dashed = text_.substr(at).starts_with("!--");
    const std::size_t from = at + (dashed ? 3 : 1);
    tag.may_stand_alone = true;
    if (!dashed) {
      const std::size_t close = find_end(tag.begin, from, close_);
      tag.eats_after = close > from && text_[close - 1] == '~';
      tag.end = close + close_.size();
      return tag;
    }
    // In one pass: a search for each of the two ends would read to the end of the text for one that
    // is not there, comment after comment.
    std::size_t dashes = text_.find("--", from);
    for (; dashes != std::string_view::npos; dashes = text_.find("--", dashes + 1)) {
      const std::string_view behind = text_.substr(dashes + 2);
      tag.eats_after = behind.starts_with("~" + close_);
      if (tag.eats_after || behind.starts_with(close_)) break;
    }
    if (dashes == std::string_view::npos)
      fail(tag.begin, fmt::format("this tag is not closed; \"--{}\" is missing", close_));
    tag.end = dashes + 2 + (tag.eats_after ? 1 : 0) + close_.size();
    return tag;
  }

  Tag read_delimiters(Tag tag, std::size_t at) {
    const std::string end = "=" + close_;
    const std::size_t close = find_end(tag.begin, at + 1, end);
    tag.end = close + end.size();
    tag.may_stand_alone = true;
    const std::string_view both =
        trim_left(trim_right(text_.substr(at + 1, close - at - 1), kSpaces), kSpaces);
    const std::string_view opening = both.substr(0, both.find_first_of(kSpaces));
    const std::string_view closing = trim_left(both.substr(opening.size()), kSpaces);
    if (opening.empty() || closing.empty() || both.find('=') != std::string_view::npos ||
        closing.find_first_of(kSpaces) != std::string_view::npos ||
        opening.size() > kMaxDelimiterBytes || closing.size() > kMaxDelimiterBytes)
      fail(tag.begin, fmt::format("delimiters are two words of at most {} bytes without \"=\", as "
                                  "in {{{{=<% %>=}}}}",
                                  kMaxDelimiterBytes));
    open_ = std::string(opening);
    close_ = std::string(closing);
    return tag;
  }

  [[nodiscard]] Tag read_braces(Tag tag, std::size_t at) const {
    const std::size_t brace = find_end(tag.begin, at + 1, "}");
    std::size_t close = brace + 1;
    if (text_.substr(close).starts_with('~')) {
      tag.eats_after = true;
      ++close;
    }
    if (!text_.substr(close).starts_with(close_))
      fail(tag.begin, fmt::format("this tag is not closed; \"}}{}\" is missing", close_));
    tag.kind = TokenKind::kRawVariable;
    tag.content = trim_left(trim_right(text_.substr(at + 1, brace - at - 1), kSpaces), kSpaces);
    tag.end = close + close_.size();
    return tag;
  }

  static void classify(Tag& tag, std::string_view inside) {
    const char sign = inside.empty() ? '\0' : inside.front();
    switch (sign) {
      case '&':
        tag.kind = TokenKind::kRawVariable;
        break;
      case '#':
        tag.kind = TokenKind::kOpen;
        break;
      case '^':
        tag.kind = TokenKind::kInverted;
        break;
      case '/':
        tag.kind = TokenKind::kClose;
        break;
      case '>':
        tag.kind = TokenKind::kPartial;
        break;
      default:
        tag.kind = TokenKind::kVariable;
        break;
    }
    if (tag.kind != TokenKind::kVariable) inside.remove_prefix(1);
    tag.content = trim_left(trim_right(inside, kSpaces), kSpaces);
    if (tag.kind == TokenKind::kInverted && tag.content.empty()) tag.kind = TokenKind::kElse;
    if (tag.kind == TokenKind::kVariable && tag.content.substr(0, 4) == "else") {
      const std::string_view rest = tag.content.substr(4);
      if (rest.empty() || kSpaces.find(rest.front()) != std::string_view::npos) {
        tag.kind = TokenKind::kElse;
        tag.content = trim_left(rest, kSpaces);
      }
    }
    tag.may_stand_alone = tag.kind != TokenKind::kVariable && tag.kind != TokenKind::kRawVariable;
  }

  // Where the line begins. Looks back through the line, which is no loss where a tag ends a line:
  // there is one such tag in it.
  [[nodiscard]] std::size_t line_of(std::size_t at) const {
    const std::size_t newline = text_.substr(0, at).rfind('\n');
    return newline == std::string_view::npos ? 0 : newline + 1;
  }

  void add_token(const Token& token) {
    if (tokens_.size() == kMaxTokens)
      fail(token.offset,
           fmt::format("a template may have at most {} tags and pieces of text", kMaxTokens));
    tokens_.push_back(token);
  }

  // Adds the text before the tag and the tag, and moves behind it.
  void place_tag(const Tag& tag) {
    std::string_view before = text_.substr(at_, tag.begin - at_);
    std::size_t next = tag.end;
    std::string_view indent;
    if (tag.may_stand_alone) {
      const std::size_t after = text_.find_first_not_of(kBlanks, tag.end);
      const bool at_end = after == std::string_view::npos;
      const std::string_view rest = at_end ? std::string_view{} : text_.substr(after);
      const bool ends = at_end || rest.front() == '\n' || rest.starts_with("\r\n");
      const std::size_t line = ends ? line_of(tag.begin) : tag.begin;
      const std::string_view lead = text_.substr(line, tag.begin - line);
      if (ends && trim_left(lead, kBlanks).empty()) {
        // A tag that ate the space behind it may have moved past the beginning of this line.
        before = text_.substr(at_, line > at_ ? line - at_ : 0);
        indent = lead;
        next = at_end ? text_.size() : after + (rest.front() == '\n' ? 1 : 2);
      }
    }
    if (tag.eats_before) before = trim_right(before, kSpaces);
    add_text(before);
    if (tag.kind) {
      const bool has_content = !tag.content.empty();
      add_token(Token{
          .kind = *tag.kind,
          .content = tag.content,
          .offset = tag.begin,
          .content_offset =
              has_content ? static_cast<std::size_t>(tag.content.data() - text_.data()) : tag.begin,
          .indent = indent});
    }
    if (tag.eats_after) next = text_.size() - trim_left(text_.substr(tag.end), kSpaces).size();
    at_ = next;
  }

  void add_text(std::string_view text) {
    if (text.empty()) return;
    const auto offset = static_cast<std::size_t>(text.data() - text_.data());
    add_token(Token{.kind = TokenKind::kText,
                    .content = text,
                    .offset = offset,
                    .content_offset = offset,
                    .indent = {}});
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t indent_columns_;
  std::string open_ = "{{";
  std::string close_ = "}}";
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

// Where the character after the one at `at` begins.
std::size_t next_character(std::string_view text, std::size_t at) {
  do ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);
  return at;
}

// The first character that is none, or the size.
std::size_t first_bad_byte(std::string_view text) {
  constexpr std::size_t kStep = 4096;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = next_character(text, std::min(at + kStep, text.size()) - 1);
    if (!is_utf8(text.substr(at, end - at))) break;
    at = end;
  }
  while (at < text.size()) {
    const std::size_t end = next_character(text, at);
    if (!is_utf8(text.substr(at, end - at))) break;
    at = end;
  }
  return at;
}

}  // namespace

std::vector<Token> scan(std::string_view text, std::string_view name, std::size_t indent_columns) {
  if (text.size() > kMaxTemplateBytes)
    throw error_at(name, fmt::format("a template may have at most {} bytes; this one has {}",
                                     kMaxTemplateBytes, text.size()));
  if (const std::size_t bad = first_bad_byte(text); bad < text.size())
    throw error_at(place_of(name, text, bad, indent_columns), "this is not UTF-8 text");
  return Scanner(text, name, indent_columns).run();
}

}  // namespace qbuild::templates
