#pragma once
// YAML as a tree with a place on every node. The library behind it stays in yaml_node.cc.
//
// What is read is the plain part of YAML 1.2: scalars, lists, mappings with text as keys, anchors
// and aliases. Refused are several documents, tags, keys that are no text, more than the bounds of
// limits.h. Words are taken for numbers and truth values by the core schema: "yes" and "off" are
// text.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/diagnostic.h"
#include "manifests/place.h"

namespace qbuild::manifests {

struct YamlMember;

struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMapping };
  Kind kind = Kind::kNull;
  Place at;
  bool is_plain = true;             // a scalar without quotes; a list or mapping in block style
  std::string text;                 // of a scalar
  std::vector<YamlNode> items;      // of a list
  std::vector<YamlMember> members;  // of a mapping, in the order of the file; no key twice

  // Of a mapping: the value. Null pointer if there is none, or of anything else.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;

  [[nodiscard]] bool is_list() const { return kind == Kind::kList; }
  [[nodiscard]] bool is_mapping() const { return kind == Kind::kMapping; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::kScalar; }
  // What a scalar says by the core schema. is_text: everything that is none of the others.
  [[nodiscard]] std::optional<bool> as_bool() const;
  [[nodiscard]] std::optional<std::int64_t> as_whole() const;
  [[nodiscard]] std::optional<double> as_number() const;  // finite; whole numbers too
  [[nodiscard]] bool is_text() const;
};

struct YamlMember {
  std::string key;
  Place at;  // of the key
  YamlNode value;
};

// What the trees of a load weigh so far.
struct TreeSize {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
};

// Nothing if the text is not usable at all; then a diagnostic says why. Duplicate keys are
// diagnostics too, and the first one stays.
//   file    index for the places
//   so_far  grows by this tree; kMaxNodes and kMaxTreeBytes bound it
[[nodiscard]] std::optional<YamlNode> parse_yaml(const std::string& text, std::uint32_t file,
                                                 TreeSize& so_far, Diagnostics& diagnostics);

// The node as one line of YAML: {name: x, rules: [{match: "a|b", type: Q8_0}]}.
[[nodiscard]] std::string one_line(const YamlNode& node);

// Bytes that a copy of the tree takes, roughly.
[[nodiscard]] std::size_t weight(const YamlNode& node);
[[nodiscard]] std::size_t count_nodes(const YamlNode& node);

// In quotes, shortened if it is long, control characters as \x09: for messages.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace qbuild::manifests
