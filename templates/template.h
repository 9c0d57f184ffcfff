#pragma once
// Templates for cards and reports: Mustache (the core of the public specification,
// https://github.com/mustache/spec: comments, delimiters, interpolation, inverted, partials,
// sections) with the block helpers of Handlebars that people use. templates/README.md describes the
// language.
//
// A template sees one JSON document and runs no code. The same template, document and partials give
// the same bytes everywhere. All work is bounded by the constants in templates/limits.h.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "templates/syntax.h"

namespace qbuild::templates {

enum class Escape : std::uint8_t {
  kHtml,  // {{name}} writes & < > " as entities; {{{name}}} and {{&name}} do not
  kNone,  // everything is written as it is: right for Markdown
};

enum class Strictness : std::uint8_t {
  // An unknown name, a null or a container where text is written, and an unknown partial are
  // errors. The
  // document says null for what it knows to be absent; a template tests that or gives a default.
  kStrict,
  // As the Mustache specification has it: all of these write nothing (a container writes its JSON).
  kLenient,
};

struct RenderOptions {
  Escape escape = Escape::kNone;
  Strictness strictness = Strictness::kStrict;
};

// The text of a partial by the name that stands in {{> name}}, or nothing if there is none. Called
// at most once per name and indentation. The name comes from a template: a loader that reads files
// checks it.
using PartialLoader = std::function<std::optional<std::string>(std::string_view name)>;

// One value of the document that a rendering looked at.
struct UsedValue {
  std::string path;   // from the root of the document: "variants[0].perplexity.value"
  std::string value;  // as written; for a container "list of 4" or "mapping of 3"; "null"
  std::string place;  // where it was used first: "card.md.mustache:12:5"
};

struct Rendered {
  std::string text;
  std::vector<UsedValue> used;  // in order of first use, each path once
};

// A parsed template. Immutable; any number of threads may render it at once.
class Template {
 public:
  // name: stands in messages, in front of line and column (both from 1, columns in code points).
  // Throws Error (kInvalidInput), "NAME:LINE:COLUMN: ...", on the first thing that is wrong.
  [[nodiscard]] static Template parse(std::string_view text, std::string_view name);

  // Throws Error (kInvalidInput), "NAME:LINE:COLUMN: ...", on what strict mode forbids (an unknown
  // name is answered with the nearest known one) and on errors in a partial; kExhausted on any
  // limit.
  [[nodiscard]] std::string render(const Json& document, const RenderOptions& options = {},
                                   const PartialLoader& partials = {}) const;
  // The same, and what the template looked at: for `--explain`.
  [[nodiscard]] Rendered render_explained(const Json& document, const RenderOptions& options = {},
                                          const PartialLoader& partials = {}) const;

  // Names of the partials that this text includes, sorted, each once; not those that partials
  // include.
  [[nodiscard]] std::vector<std::string> partial_names() const;
  [[nodiscard]] const std::string& name() const { return program_.name; }

 private:
  explicit Template(Program program) : program_(std::move(program)) {}

  Program program_;
};

}  // namespace qbuild::templates
