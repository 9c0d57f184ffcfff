// parse_yaml: the one place that knows the library. Its node interface keeps the last of two equal
// keys and expands aliases without a bound, so the tree is built from its events.

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>

#include "base/error.h"
#include "manifests/limits.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {
namespace {

// Turns the library's places, a line and a byte in it, into ours, which count characters. Like the
// library it takes a carriage return alone for no end of a line.
class Lines {
 public:
  Lines(std::string_view text, std::uint32_t file) : text_(text), file_(file) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') starts_.push_back(i + 1);
  }

  [[nodiscard]] Place place_of_byte(std::size_t offset) const {
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    Place place{file_, static_cast<std::uint32_t>(next - starts_.begin()), 1};
    for (std::size_t at = *(next - 1); at < offset; ++at)
      if (begins_character(text_[at])) ++place.column;
    return place;
  }

  // Marks mostly ascend: each is counted from the one before, or a long line would be read once per
  // mark.
  [[nodiscard]] Place place(const YAML::Mark& mark) {
    if (mark.line < 0 || mark.column < 0) return {file_, 1, 1};
    const std::size_t line = std::min(static_cast<std::size_t>(mark.line), starts_.size() - 1);
    if (line != last_line_) {
      last_line_ = line;
      last_byte_ = 0;
      last_column_ = 1;
    }
    const std::string_view rest = line_text(static_cast<std::uint32_t>(line + 1));
    const std::size_t byte = std::min(static_cast<std::size_t>(mark.column), rest.size());
    for (; last_byte_ < byte; ++last_byte_)
      if (begins_character(rest[last_byte_])) ++last_column_;
    for (; last_byte_ > byte; --last_byte_)
      if (begins_character(rest[last_byte_ - 1])) --last_column_;
    return {file_, static_cast<std::uint32_t>(line + 1), last_column_};
  }

  [[nodiscard]] std::string_view line_text(std::uint32_t line) const {
    const std::size_t index = std::min<std::size_t>(line, starts_.size());
    const std::size_t begin = starts_[index - 1];
    const std::size_t end = index < starts_.size() ? starts_[index] - 1 : text_.size();
    return text_.substr(begin, end - begin);
  }

 private:
  static bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }

  std::string_view text_;
  std::uint32_t file_;
  std::vector<std::size_t> starts_;
  std::size_t last_line_ = 0;
  std::size_t last_byte_ = 0;
  std::uint32_t last_column_ = 1;
};

std::string too_many_values() {
  return fmt::format("more than {} values, those behind aliases included", kMaxNodes);
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(Lines& lines, TreeSize& size, Diagnostics& diagnostics)
      : lines_(lines), size_(size), diagnostics_(diagnostics) {}

  [[nodiscard]] bool has_document() const { return documents_ > 0; }
  [[nodiscard]] YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(mark, "a manifest is one document, and here begins a second one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, anchor, start(mark, YamlNode::Kind::kNull));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) refuse(mark, "an alias inside of what it stands for");
    count(mark, count_nodes(found->second), weight(found->second));
    add(mark, YAML::NullAnchor, found->second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    require_no_tag(mark, tag);
    if (value.find('\0') != std::string::npos)
      refuse(mark, "a text with a NUL character, which no name, path or argument can hold");
    YamlNode node = start(mark, YamlNode::Kind::kScalar);
    count(mark, 0, value.size());
    node.is_plain = tag != "!";
    node.text = value;
    add(mark, anchor, std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::Mark mark;
    YAML::anchor_t anchor = YAML::NullAnchor;
    // Of a mapping: the key whose value comes next, and the keys that it has.
    std::optional<YamlMember> pending;
    std::unordered_map<std::string, Place> keys;
  };

  // Ends the parse: after it nothing that follows can be trusted, or paid for.
  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) {
    diagnostics_.add(lines_.place(mark), message);
    throw Error(ErrorKind::kInvalidInput, std::move(message));
  }

  void count(const YAML::Mark& mark, std::size_t nodes, std::size_t bytes) {
    size_.nodes += nodes;
    size_.bytes += bytes;
    if (size_.nodes > kMaxNodes) refuse(mark, too_many_values());
    if (size_.bytes > kMaxTreeBytes)
      refuse(mark, fmt::format("more than {} MiB of values, those behind aliases included",
                               kMaxTreeBytes >> 20U));
  }

  void require_no_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, fmt::format("the tag {}: tags are not read; leave it out", quote(tag)));
  }

  YamlNode start(const YAML::Mark& mark, YamlNode::Kind kind) {
    count(mark, 1, sizeof(YamlMember));
    YamlNode node;
    node.kind = kind;
    node.at = lines_.place(mark);
    return node;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style, YamlNode::Kind kind) {
    require_no_tag(mark, tag);
    if (open_.size() >= kMaxDepth)
      refuse(mark, fmt::format("nested deeper than {} levels", kMaxDepth));
    if (!open_.empty() && is_waiting_for_key())
      refuse(mark, "a key must be text, not a list or a mapping");
    Open& opened = open_.emplace_back();
    opened.node = start(mark, kind);
    opened.node.is_plain = style != YAML::EmitterStyle::Flow;
    opened.mark = mark;
    opened.anchor = anchor;
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    add(closed.mark, closed.anchor, std::move(closed.node));
  }

  [[nodiscard]] bool is_waiting_for_key() const {
    return open_.back().node.is_mapping() && !open_.back().pending;
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode node) {
    if (anchor != YAML::NullAnchor) {
      // The copy is paid for too: anchors can be nested.
      count(mark, count_nodes(node), weight(node));
      anchored_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.pending) {
      begin_member(mark, parent, node);
    } else {
      parent.pending->value = std::move(node);
      const auto [known, is_new] = parent.keys.emplace(parent.pending->key, parent.pending->at);
      if (is_new)
        parent.node.members.push_back(std::move(*parent.pending));
      else
        diagnostics_.add(parent.pending->at, fmt::format("duplicate key {}; the first one is at {}",
                                                         quote(parent.pending->key),
                                                         diagnostics_.place_text(known->second)));
      parent.pending.reset();
    }
  }

  void begin_member(const YAML::Mark& mark, Open& parent, const YamlNode& key) {
    if (!key.is_scalar()) refuse(mark, "a key must be text");
    if (key.text == "<<" && key.is_plain)
      refuse(mark, "merge keys (<<) are not read; use defaults or include");
    parent.pending = YamlMember{key.text, lines_.place(mark), {}};
  }

  Lines& lines_;
  TreeSize& size_;
  Diagnostics& diagnostics_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchored_;
  YamlNode root_;
  int documents_ = 0;
};

// The first byte that does not belong to well-formed UTF-8 text, or the size. NUL counts as such a
// byte.
std::size_t first_bad_byte(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    std::size_t more = 0;
    std::uint32_t code = lead;
    std::uint32_t least = 1;
    if (lead >= 0xf0 && lead < 0xf5) {
      more = 3, code = lead & 0x07U, least = 0x10000;
    } else if (lead >= 0xe0 && lead < 0xf0) {
      more = 2, code = lead & 0x0fU, least = 0x800;
    } else if (lead >= 0xc0 && lead < 0xe0) {
      more = 1, code = lead & 0x1fU, least = 0x80;
    } else if (lead >= 0x80) {
      return at;
    }
    if (text.size() - at <= more) return at;
    for (std::size_t i = 1; i <= more; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if ((next & 0xc0U) != 0x80U) return at;
      code = code << 6U | (next & 0x3fU);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return at;
    at += more + 1;
  }
  return at;
}

// The first opening bracket that begins one value too many, or the size. The library keeps every
// token of a list in brackets until it knows whether the list is a key, and says nothing before.
std::size_t excess_bracket(std::string_view text) {
  std::size_t brackets = 0;
  std::size_t at = text.find_first_of("[{");
  while (at != std::string_view::npos && ++brackets <= kMaxNodes)
    at = text.find_first_of("[{", at + 1);
  return std::min(at, text.size());
}

// "{word}" outside quotes is the usual reason why a line with variables is not YAML.
bool has_bare_braces(std::string_view line) {
  char quote_mark = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote_mark != 0) {
      if (c == quote_mark) quote_mark = 0;
    } else if (c == '"' || c == '\'') {
      quote_mark = c;
    } else if (c == '{') {
      std::size_t end = i + 1;
      while (end < line.size() && ((line[end] >= 'a' && line[end] <= 'z') || line[end] == '_' ||
                                   line[end] == '.' || (line[end] >= '0' && line[end] <= '9')))
        ++end;
      if (end > i + 1 && end < line.size() && line[end] == '}') return true;
    }
  }
  return false;
}

bool is_indented_by_a_tab(std::string_view line) {
  return line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

std::string syntax_message(const Lines& lines, const Place& at, const std::string& reason) {
  std::string message = "this is not YAML: " + reason;
  if (has_bare_braces(lines.line_text(at.line)))
    message += "; a value with a variable such as {model} must stand in quotes";
  else if (is_indented_by_a_tab(lines.line_text(at.line)))
    message += "; lines are indented by spaces, not by tabs";
  return message;
}

}  // namespace

std::optional<YamlNode> parse_yaml(const std::string& text, std::uint32_t file, TreeSize& so_far,
                                   Diagnostics& diagnostics) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  const std::string_view content =
      std::string_view(text).substr(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  Lines lines(content, file);
  if (const std::size_t bad = first_bad_byte(content); bad < content.size()) {
    diagnostics.add(lines.place_of_byte(bad), "this is not UTF-8 text");
    return std::nullopt;
  }
  if (const std::size_t excess = excess_bracket(content); excess < content.size()) {
    diagnostics.add(lines.place_of_byte(excess), too_many_values());
    return std::nullopt;
  }
  TreeBuilder builder(lines, so_far, diagnostics);
  try {
    std::istringstream stream{std::string(content)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const Place at = lines.place(error.mark);
    diagnostics.add(at, syntax_message(lines, at, error.msg));
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // the builder refused and said why
  }
  YamlNode root = builder.has_document() ? builder.take_root() : YamlNode{};
  if (root.kind == YamlNode::Kind::kNull) root.at = {file, 1, 1};
  return root;
}

}  // namespace qbuild::manifests
