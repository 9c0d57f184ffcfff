#include "templates/renderer.h"

#include <fmt/core.h>

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "templates/context.h"
#include "templates/limits.h"
#include "templates/parser.h"
#include "templates/place.h"

namespace qbuild::templates {
namespace {

// One notion of truth for sections and helpers: false, null, 0, "", an empty list and what is
// unknown are not true; all else is, an empty mapping too.
bool is_true(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_bool()) return value.as_bool();
  if (value.is_number()) return value.as_double() != 0;
  if (value.is_string()) return !value.as_string().empty();
  if (value.is_array()) return !value.as_array().empty();
  return true;
}

bool is_container(const Json& value) {
  return value.is_array() || value.is_object();
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.as_string() : value.dump();
}

std::string summary_of(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_array()) return fmt::format("list of {}", value.as_array().size());
  if (value.is_object()) return fmt::format("mapping of {}", value.as_object().size());
  return text_of(value);
}

// Counting lines is faster than a step.
constexpr std::uint64_t kBytesPerStep = 4;

std::string_view kind_of(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "true or false";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a text";
  return value.is_array() ? "a list" : "a mapping";
}

class Renderer {
 public:
  Renderer(const Json& document, const RenderOptions& options, const PartialLoader& partials,
           Explain explain)
      : context_(document), options_(options), partials_(partials), explain_(explain) {}

  Rendered run(const Program& program) {
    render_nodes(program, program.nodes);
    return std::move(rendered_);
  }

 private:
  [[nodiscard]] bool strict() const { return options_.strictness == Strictness::kStrict; }

  [[nodiscard]] static std::string place(const Program& program, std::size_t offset) {
    return place_of(program.name, program.text, offset, program.indent_columns);
  }

  [[noreturn]] static void fail(const Program& program, std::size_t offset,
                                std::string_view message,
                                ErrorKind kind = ErrorKind::kInvalidInput) {
    throw error_at(place(program, offset), message, kind);
  }

  void count_work(const Program& program, std::size_t offset, std::uint64_t steps) {
    work_ += steps;
    if (work_ + context_.compared() > kMaxWork)
      fail(program, offset, fmt::format("rendering takes more than {} steps", kMaxWork),
           ErrorKind::kExhausted);
  }

  void write(const Program& program, std::size_t offset, std::string_view text) {
    if (text.size() > kMaxOutputBytes - rendered_.text.size())
      fail(program, offset, fmt::format("the output is longer than {} bytes", kMaxOutputBytes),
           ErrorKind::kExhausted);
    rendered_.text += text;
  }

  void write_escaped(const Program& program, std::size_t offset, std::string_view text) {
    while (!text.empty()) {
      const std::size_t special = text.find_first_of("&<>\"");
      write(program, offset, text.substr(0, special));
      if (special == std::string_view::npos) return;
      switch (text[special]) {
        case '&':
          write(program, offset, "&amp;");
          break;
        case '<':
          write(program, offset, "&lt;");
          break;
        case '>':
          write(program, offset, "&gt;");
          break;
        default:
          write(program, offset, "&quot;");
          break;
      }
      text.remove_prefix(special + 1);
    }
  }

  void note(const Program& program, const Operand& operand, const Resolved& resolved) {
    if (explain_ == Explain::kNo || !resolved.in_document()) return;
    const std::string path = resolved.path().empty() ? "." : resolved.path();
    if (!seen_.insert(path).second) return;
    rendered_.used.push_back(UsedValue{.path = path,
                                       .value = summary_of(resolved.value()),
                                       .place = place_of_use(program, operand)});
  }

  // A loop comes with the same operand for many values, and a place is counted from the beginning
  // of the text.
  const std::string& place_of_use(const Program& program, const Operand& operand) {
    const auto [known, is_new] = places_.try_emplace(&operand);
    if (is_new) {
      count_work(program, operand.offset, operand.offset / kBytesPerStep);
      known->second = place(program, operand.offset);
    }
    return known->second;
  }

  Resolved resolve(const Program& program, const Operand& operand) {
    if (operand.literal) return Resolved::literal(*operand.literal);
    Resolved resolved = context_.resolve(operand.path);
    note(program, operand, resolved);
    return resolved;
  }

  // The value of an expression; not found() only in lenient mode.
  Resolved evaluate(const Program& program, const Expression& expression) {
    Resolved resolved = resolve(program, expression.value);
    const bool absent = !resolved.found() || resolved.value().is_null();
    if (absent && expression.fallback) {
      resolved = resolve(program, *expression.fallback);
      if (!resolved.found() && strict())
        fail(program, expression.fallback->offset, context_.explain_missing(*expression.fallback));
    } else if (!resolved.found() && strict()) {
      fail(program, expression.value.offset, context_.explain_missing(expression.value));
    }
    return resolved;
  }

  void render_variable(const Program& program, const Node& node) {
    const Resolved resolved = evaluate(program, node.expression);
    if (!resolved.found()) return;
    const Json& value = resolved.value();
    const Operand& operand = node.expression.value;
    if (strict() && value.is_null())
      fail(program, operand.offset,
           fmt::format("\"{0}\" is null; test it with {{{{#if {0}}}}}, or write {{{{{0} | default "
                       "\"n/a\"}}}}",
                       operand.text));
    if (strict() && is_container(value))
      fail(program, operand.offset,
           fmt::format("\"{0}\" is {1} and has no text; go through it with {{{{#each {0}}}}}",
                       operand.text, kind_of(value)));
    const std::string made = value.is_string() ? std::string() : text_of(value);
    const std::string_view text = value.is_string() ? std::string_view(value.as_string()) : made;
    if (node.raw || options_.escape == Escape::kNone)
      write(program, node.offset, text);
    else
      write_escaped(program, node.offset, text);
  }

  void render_loop(const Program& program, const Node& node, const Resolved& over) {
    const Json& value = over.value();
    if (value.is_array()) {
      const Json::Array& items = value.as_array();
      for (std::size_t i = 0; i < items.size(); ++i) {
        count_work(program, node.offset, kNodeSteps);
        context_.push_turn(items[i], element_path(over.path(), i),
                           Context::Turn{.index = i, .count = items.size(), .key = {}});
        render_nodes(program, node.body);
        context_.pop();
      }
      return;
    }
    const Json::Object& members = value.as_object();
    for (std::size_t i = 0; i < members.size(); ++i) {
      count_work(program, node.offset, kNodeSteps);
      context_.push_turn(
          members[i].second, member_path(over.path(), members[i].first),
          Context::Turn{.index = i, .count = members.size(), .key = members[i].first});
      render_nodes(program, node.body);
      context_.pop();
    }
  }

  void render_within(const Program& program, const Node& node, const Resolved& inner) {
    context_.push(inner.value(), inner.path());
    render_nodes(program, node.body);
    context_.pop();
  }

  void render_each(const Program& program, const Node& node, const Resolved& over) {
    const bool empty = !over.found() || !is_true(over.value()) ||
                       (over.value().is_object() && over.value().as_object().empty());
    if (!empty && is_container(over.value())) return render_loop(program, node, over);
    const bool scalar = over.found() && !over.value().is_null() && !is_container(over.value());
    if (scalar && strict())
      fail(program, node.expression.value.offset,
           fmt::format("\"{}\" is {}; {{{{#each}}}} needs a list or a mapping",
                       node.expression.value.text, kind_of(over.value())));
    render_nodes(program, node.otherwise);
  }

  void render_block(const Program& program, const Node& node) {
    const Resolved resolved = evaluate(program, node.expression);
    if (node.kind == NodeKind::kEach) return render_each(program, node, resolved);
    const bool truth = resolved.found() && is_true(resolved.value());
    if (truth == (node.kind == NodeKind::kUnless)) return render_nodes(program, node.otherwise);
    const bool keeps_context = node.kind == NodeKind::kIf || node.kind == NodeKind::kUnless;
    // A section over `true` is a condition: there is nothing in it to look into.
    const bool condition = node.kind == NodeKind::kSection && resolved.value().is_bool();
    if (keeps_context || condition) return render_nodes(program, node.body);
    if (node.kind == NodeKind::kSection && resolved.value().is_array())
      return render_loop(program, node, resolved);
    render_within(program, node, resolved);
  }

  const Program* load_partial(const Program& program, const Node& node) {
    // A loop comes here with the same node each time.
    if (const auto known = by_node_.find(&node); known != by_node_.end()) return known->second;
    const Program* const partial = find_partial(program, node);
    by_node_.emplace(&node, partial);
    return partial;
  }

  const Program* find_partial(const Program& program, const Node& node) {
    const auto key = std::make_pair(node.text, node.indent);
    if (const auto known = loaded_.find(key); known != loaded_.end()) return &known->second;
    const std::optional<std::string> text =
        partials_ ? partials_(node.text) : std::optional<std::string>{};
    if (!text) {
      if (strict())
        fail(program, node.offset, fmt::format("there is no partial \"{}\"", node.text));
      return nullptr;
    }
    Program partial = parse_program(*text, node.text, node.indent);
    count_work(program, node.offset, partial.text.size() * kByteSteps);
    if (tokens_ += partial.token_count; tokens_ > kMaxTokens)
      fail(program, node.offset,
           fmt::format("the partials have more than {} tags and pieces of text", kMaxTokens),
           ErrorKind::kExhausted);
    return &loaded_.emplace(key, std::move(partial)).first->second;
  }

  void render_partial(const Program& program, const Node& node) {
    const Program* const partial = load_partial(program, node);
    if (partial != nullptr) render_nodes(*partial, partial->nodes);
  }

  void render_nodes(const Program& program, const std::vector<Node>& nodes) {
    if (nodes.empty()) return;
    if (depth_ == kMaxRenderDepth)
      fail(
          program, nodes.front().offset,
          fmt::format("blocks and partials are open {} deep; does a partial include itself without "
                      "end?",
                      kMaxRenderDepth),
          ErrorKind::kExhausted);
    ++depth_;
    for (const Node& node : nodes) {
      count_work(program, node.offset, kNodeSteps);
      switch (node.kind) {
        case NodeKind::kText:
          write(program, node.offset, node.text);
          break;
        case NodeKind::kVariable:
          render_variable(program, node);
          break;
        case NodeKind::kPartial:
          render_partial(program, node);
          break;
        case NodeKind::kSection:
        case NodeKind::kIf:
        case NodeKind::kUnless:
        case NodeKind::kEach:
        case NodeKind::kWith:
          render_block(program, node);
          break;
      }
    }
    --depth_;
  }

  Context context_;
  const RenderOptions& options_;
  const PartialLoader& partials_;
  Explain explain_;
  Rendered rendered_;
  std::set<std::string> seen_;
  std::unordered_map<const Operand*, std::string> places_;
  // By name and indentation. A map, because nodes of it are walked while more are added.
  std::map<std::pair<std::string, std::string>, Program> loaded_;
  std::unordered_map<const Node*, const Program*> by_node_;
  std::size_t tokens_ = 0;  // of all partials
  std::uint64_t work_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

Rendered render_program(const Program& program, const Json& document, const RenderOptions& options,
                        const PartialLoader& partials, Explain explain) {
  return Renderer(document, options, partials, explain).run(program);
}

}  // namespace qbuild::templates
