#pragma once
// A parsed template as plain data: what the parser makes and the renderer walks.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace qbuild::templates {

// Where a name starts to be looked up.
enum class PathRoot : std::uint8_t {
  kLookup,    // name: the innermost context that has it
  kContext,   // this, ./name, ../name: that context only
  kDocument,  // @root: the document itself
  kIndex,     // @index: position in the innermost loop, from 0
  kFirst,     // @first
  kLast,      // @last
  kKey,       // @key: the member's name in a loop over a mapping, the index in one over a list
};

struct Path {
  PathRoot root = PathRoot::kLookup;
  std::size_t parents = 0;         // kContext: number of ../
  std::vector<std::string> parts;  // between the dots; empty means the root itself
};

// A literal or a path.
struct Operand {
  std::optional<Json> literal;
  Path path;               // if there is no literal
  std::string text;        // as written
  std::size_t offset = 0;  // of its first byte in the template's text
};

// `value` or `value | default fallback`.
struct Expression {
  Operand value;
  std::optional<Operand> fallback;
};

enum class NodeKind : std::uint8_t {
  kText,
  kVariable,  // {{x}}
  kSection,   // {{#x}}: a loop over a list, else once with x as the context, if x is true
  kIf,        // {{#if x}}: keeps the context
  kUnless,    // {{#unless x}} and {{^x}}
  kEach,      // {{#each x}}: over a list or the members of a mapping
  kWith,      // {{#with x}}: once, with x as the context
  kPartial,   // {{> name}}
};

struct Node {
  NodeKind kind = NodeKind::kText;
  std::size_t offset = 0;       // of the tag, or of the text
  std::string text;             // kText: what is written; kPartial: its name
  std::string indent;           // kPartial that stands alone on its line: what stood before it
  bool raw = false;             // kVariable: never escaped
  Expression expression;        // all but kText and kPartial
  std::vector<Node> body;       // blocks
  std::vector<Node> otherwise;  // blocks: after {{else}}
};

// A whole template. The text is kept because messages find line and column in it.
struct Program {
  std::string name;
  std::string text;
  std::size_t indent_columns =
      0;  // put in front of each line (a partial that stood alone), not the author's
  std::size_t token_count = 0;  // what the nodes were made of
  std::vector<Node> nodes;
};

}  // namespace qbuild::templates
