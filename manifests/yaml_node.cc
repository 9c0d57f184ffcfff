#include "manifests/yaml_node.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

namespace qbuild::manifests {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// [-+]?[0-9]+
bool spells_whole(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return false;
  for (const char c : text)
    if (!is_digit(c)) return false;
  return true;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool spells_number(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - from;
  };
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  std::size_t mantissa = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    mantissa += digits();
  }
  if (mantissa == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

std::string_view without_plus(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return text;
}

YamlNode scalar(std::string_view text, bool is_plain) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.is_plain = is_plain;
  node.text = text;
  return node;
}

// Whether the text, written without quotes in a flow list, would be read as something else.
bool needs_quotes(const YamlNode& node) {
  const std::string& text = node.text;
  if (text.empty() || text == "-" || text == "null" || text == "Null" || text == "NULL")
    return true;
  if (!node.is_plain && !scalar(text, true).is_text()) return true;
  for (const char c : text) {
    const bool harmless = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
                          c == '_' || c == '.' || c == '-' || c == '+' || c == '/';
    if (!harmless) return true;
  }
  return false;
}

std::string yaml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void append_one_line(const YamlNode& node, std::string& out) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      out += "null";
      return;
    case YamlNode::Kind::kScalar:
      out += needs_quotes(node) ? yaml_quoted(node.text) : node.text;
      return;
    case YamlNode::Kind::kList: {
      out += '[';
      std::string_view between;
      for (const YamlNode& item : node.items) {
        out += between;
        append_one_line(item, out);
        between = ", ";
      }
      out += ']';
      return;
    }
    case YamlNode::Kind::kMapping: {
      out += '{';
      std::string_view between;
      for (const YamlMember& member : node.members) {
        out += between;
        append_one_line(scalar(member.key, false), out);
        out += ": ";
        append_one_line(member.value, out);
        between = ", ";
      }
      out += '}';
      return;
    }
  }
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const YamlMember& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

std::optional<bool> YamlNode::as_bool() const {
  if (kind != Kind::kScalar || !is_plain) return std::nullopt;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::optional<std::int64_t> YamlNode::as_whole() const {
  if (kind != Kind::kScalar || !is_plain || !spells_whole(text)) return std::nullopt;
  const std::string_view digits = without_plus(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<double> YamlNode::as_number() const {
  if (kind != Kind::kScalar || !is_plain || !spells_number(text)) return std::nullopt;
  const std::string_view digits = without_plus(text);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  return value;
}

bool YamlNode::is_text() const {
  if (kind != Kind::kScalar) return false;
  return !is_plain || (!as_bool() && !spells_number(text));
}

std::string one_line(const YamlNode& node) {
  std::string out;
  append_one_line(node, out);
  return out;
}

std::size_t weight(const YamlNode& node) {
  std::size_t sum = sizeof(YamlNode) + node.text.size();
  for (const YamlNode& item : node.items) sum += weight(item);
  for (const YamlMember& member : node.members)
    sum += sizeof(std::string) + member.key.size() + weight(member.value);
  return sum;
}

std::size_t count_nodes(const YamlNode& node) {
  std::size_t sum = 1;
  for (const YamlNode& item : node.items) sum += count_nodes(item);
  for (const YamlMember& member : node.members) sum += count_nodes(member.value);
  return sum;
}

std::string quote(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out = "\"";
  std::size_t shown = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool begins_character = (byte & 0xc0U) != 0x80U;
    if (shown >= kShown && begins_character) return out + "...\"";
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
    ++shown;
  }
  return out + "\"";
}

}  // namespace qbuild::manifests
