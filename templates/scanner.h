#pragma once
// Cuts a template into text and tags: delimiters, comments, whitespace control and lines that hold
// nothing but a tag are dealt with here, so that the parser sees only what is written or has a
// meaning.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qbuild::templates {

enum class TokenKind : std::uint8_t {
  kText,
  kVariable,     // {{x}}
  kRawVariable,  // {{{x}}} and {{&x}}
  kOpen,         // {{#x}}
  kInverted,     // {{^x}}
  kElse,         // {{else}}, {{^}}, {{else if x}}
  kClose,        // {{/x}}
  kPartial,      // {{> x}}
};

struct Token {
  TokenKind kind = TokenKind::kText;
  std::string_view content;  // the text; of a tag, what follows its sign, without spaces around
  std::size_t offset = 0;    // of the tag or text in the template
  std::size_t content_offset = 0;  // of content
  std::string_view indent;         // kPartial alone on its line: the spaces in front of it
};

// The tokens of `text`, which must outlive them. Comments and changes of delimiters leave none.
//   name            for messages
//   indent_columns  see Program
// Throws Error (kInvalidInput) on a tag that is not closed, a malformed change of delimiters, text
// longer than kMaxTemplateBytes or not UTF-8, and more than kMaxTokens.
[[nodiscard]] std::vector<Token> scan(std::string_view text, std::string_view name,
                                      std::size_t indent_columns = 0);

}  // namespace qbuild::templates
