#include "templates/parser.h"

#include <fmt/core.h>

#include <array>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/nearest_word.h"
#include "templates/expression.h"
#include "templates/limits.h"
#include "templates/place.h"
#include "templates/scanner.h"

namespace qbuild::templates {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::array<std::string_view, 4> kHelpers{"if", "unless", "each", "with"};
constexpr std::array<NodeKind, 4> kHelperKinds{NodeKind::kIf, NodeKind::kUnless, NodeKind::kEach,
                                               NodeKind::kWith};

// Throws when the result would be longer than a template may be: a short partial of many lines and
// a long indentation would otherwise fill the memory.
std::string indented(std::string_view text, std::string_view indent, std::string_view name) {
  std::string out;
  bool at_line_start = true;
  for (const char byte : text) {
    if (at_line_start && byte != '\n' && byte != '\r') out += indent;
    if (out.size() > kMaxTemplateBytes)
      throw error_at(name, fmt::format("a template may have at most {} bytes; this one has more "
                                       "once it is indented by {}",
                                       kMaxTemplateBytes, indent.size()));
    out += byte;
    at_line_start = byte == '\n';
  }
  return out;
}

// A block whose end has not been seen.
struct OpenBlock {
  Node node;
  std::string opening;  // as written: "#if" or "^"
  std::string closing;  // what the closing tag must say
  bool in_else = false;
  bool chained = false;  // {{else if}}: ends where the block around it ends
};

class Parser {
 public:
  explicit Parser(Program& program) : program_(program) {}

  void run() {
    const std::vector<Token> tokens = scan(program_.text, program_.name, program_.indent_columns);
    program_.token_count = tokens.size();
    for (const Token& token : tokens) {
      switch (token.kind) {
        case TokenKind::kText:
          add_text(token);
          break;
        case TokenKind::kVariable:
        case TokenKind::kRawVariable:
          add_variable(token);
          break;
        case TokenKind::kPartial:
          add_partial(token);
          break;
        case TokenKind::kOpen:
          open_block(token, false);
          break;
        case TokenKind::kInverted:
          open_inverted(token);
          break;
        case TokenKind::kElse:
          start_else(token);
          break;
        case TokenKind::kClose:
          close_block(token);
          break;
      }
    }
    if (!open_.empty()) {
      const OpenBlock& block = open_.back();
      fail(block.node.offset, fmt::format("{{{{{}}}}} is not closed; {{{{/{}}}}} is missing",
                                          block.opening, block.closing));
    }
  }

 private:
  [[noreturn]] void fail(std::size_t offset, std::string_view message) const {
    throw error_at(place_of(program_.name, program_.text, offset, program_.indent_columns),
                   message);
  }

  std::vector<Node>& target() {
    if (open_.empty()) return program_.nodes;
    OpenBlock& block = open_.back();
    return block.in_else ? block.node.otherwise : block.node.body;
  }

  [[nodiscard]] Expression expression(std::string_view text, std::size_t offset) const {
    try {
      return parse_expression(text, offset);
    } catch (const Error& error) {
      fail(offset, error.message());
    }
  }

  void add_text(const Token& token) {
    Node node;
    node.offset = token.offset;
    node.text = std::string(token.content);
    target().push_back(std::move(node));
  }

  void add_variable(const Token& token) {
    Node node;
    node.kind = NodeKind::kVariable;
    node.offset = token.offset;
    node.raw = token.kind == TokenKind::kRawVariable;
    node.expression = expression(token.content, token.content_offset);
    target().push_back(std::move(node));
  }

  void add_partial(const Token& token) {
    std::string_view name = token.content;
    const bool quoted = name.size() > 2 && (name.front() == '"' || name.front() == '\'') &&
                        name.back() == name.front();
    if (quoted) name = name.substr(1, name.size() - 2);
    if (name.empty()) fail(token.offset, "there is no name in this tag");
    if (name.size() > kMaxPartialNameBytes)
      fail(token.offset,
           fmt::format("the name of a partial has at most {} bytes", kMaxPartialNameBytes));
    if (token.indent.size() > kMaxIndentBytes)
      fail(token.offset,
           fmt::format("a partial is indented by at most {} characters", kMaxIndentBytes));
    if (name.find_first_of(kSpaces) != std::string_view::npos)
      fail(token.offset,
           fmt::format("a partial takes no arguments: cannot read \"{}\"", token.content));
    Node node;
    node.kind = NodeKind::kPartial;
    node.offset = token.offset;
    node.text = std::string(name);
    node.indent = std::string(token.indent);
    target().push_back(std::move(node));
  }

  void push(OpenBlock block) {
    if (open_.size() == kMaxBlockDepth)
      fail(block.node.offset, fmt::format("blocks are nested deeper than {}", kMaxBlockDepth));
    open_.push_back(std::move(block));
  }

  // {{#x}}, {{#if x}} and the like, and what follows {{else ...}}.
  void open_block(const Token& token, bool chained) {
    OpenBlock block;
    block.chained = chained;
    block.node.offset = token.offset;
    const std::string_view content = token.content;
    const std::size_t space = content.find_first_of(kSpaces);
    const std::string_view word = content.substr(0, space);
    const std::size_t argument =
        space == std::string_view::npos ? space : content.find_first_not_of(kSpaces, space);
    const bool has_argument = argument != std::string_view::npos && content[argument] != '|';
    if (!has_argument) {
      if (chained)
        fail(token.offset,
             "{{else}} is followed by nothing, or by if, unless, each or with and a value");
      block.node.kind = NodeKind::kSection;
      block.node.expression = expression(content, token.content_offset);
      block.closing = block.node.expression.value.text;
      block.opening = "#" + block.closing;
      return push(std::move(block));
    }
    for (std::size_t i = 0; i < kHelpers.size(); ++i) {
      if (word != kHelpers[i]) continue;
      block.node.kind = kHelperKinds[i];
      block.node.expression = expression(content.substr(argument), token.content_offset + argument);
      block.closing = std::string(word);
      block.opening = (chained ? "else " : "#") + block.closing;
      return push(std::move(block));
    }
    const std::string meant = did_you_mean(word, kHelpers);
    fail(token.content_offset,
         fmt::format("unknown helper \"{}\"{}", word,
                     meant.empty() ? "; there are if, unless, each and with" : meant));
  }

  void open_inverted(const Token& token) {
    OpenBlock block;
    block.node.kind = NodeKind::kUnless;
    block.node.offset = token.offset;
    block.node.expression = expression(token.content, token.content_offset);
    block.closing = block.node.expression.value.text;
    block.opening = "^" + block.closing;
    push(std::move(block));
  }

  void start_else(const Token& token) {
    if (open_.empty()) fail(token.offset, "{{else}} stands outside a block");
    if (open_.back().in_else)
      fail(token.offset, fmt::format("{{{{{}}}}} has a second {{{{else}}}}", open_.back().opening));
    open_.back().in_else = true;
    if (!token.content.empty()) open_block(token, true);
  }

  void close_block(const Token& token) {
    if (open_.empty()) fail(token.offset, fmt::format("{{{{/{}}}}} closes nothing", token.content));
    while (true) {
      OpenBlock block = std::move(open_.back());
      open_.pop_back();
      if (!block.chained && token.content != block.closing)
        fail(token.offset,
             fmt::format("{{{{/{}}}}} stands where {{{{/{}}}}} should close the {{{{{}}}}} of {}",
                         token.content, block.closing, block.opening,
                         place_of(program_.name, program_.text, block.node.offset,
                                  program_.indent_columns)));
      const bool last = !block.chained;
      target().push_back(std::move(block.node));
      if (last) return;
    }
  }

  Program& program_;
  std::vector<OpenBlock> open_;
};

}  // namespace

Program parse_program(std::string_view text, std::string_view name, std::string_view indent) {
  // What editors of Windows begin a file with is no text.
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Program program;
  program.name = std::string(name);
  program.text = indent.empty() ? std::string(text) : indented(text, indent, name);
  program.indent_columns = indent.size();
  Parser(program).run();
  return program;
}

}  // namespace qbuild::templates
