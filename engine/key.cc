#include "engine/key.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace qbuild::engine {
namespace {

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// A name as part of a label. Characters that labels are made of become %XX, so that labels need no
// quotes and end at the first ": ".
//   special  what would be taken for the structure of the label
std::string label_part(std::string_view name, std::string_view special) {
  if (name.empty()) return "%";
  std::string part;
  for (const char c : name) {
    if (is_control(c) || c == '%' || c == '\\' || special.find(c) != std::string_view::npos) {
      part += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      part += c;
    }
  }
  return part;
}

void append_line(std::string& line, std::string_view label, std::string_view value) {
  const auto append = [&](std::string_view text) {
    for (const char c : text) {
      if (c == '\\') {
        line += "\\\\";
      } else if (c == '\n') {
        line += "\\n";
      } else if (is_control(c)) {
        line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      } else {
        line += c;
      }
    }
  };
  append(label);
  line += ": ";
  append(value);
  line += '\n';
}

// Json prints bytes that are no UTF-8 as one replacement character each, so that different strings
// would look the same; those are written as what they are.
std::string leaf_text(const Json& value) {
  std::string text = value.dump();
  if (!value.is_string() || Json::parse(text) == value) return text;
  text = "bytes ";
  for (const char c : value.as_string()) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

void walk_param(const std::string& label, const Json& value, KeySink& sink) {
  if (value.is_object() && !value.as_object().empty()) {
    std::vector<const Json::Member*> members;
    for (const Json::Member& member : value.as_object()) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return a->first < b->first; });
    for (const Json::Member* member : members) {
      walk_param(label + "." + label_part(member->first, ".[]: "), member->second, sink);
    }
  } else if (value.is_array() && !value.as_array().empty()) {
    const Json::Array& items = value.as_array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      walk_param(fmt::format("{}[{}]", label, i), items[i], sink);
    }
  } else {
    sink.field(label, leaf_text(value));
  }
}

void walk_input(const Input& input, const InputState& state, KeySink& sink) {
  // Dots are common in labels of inputs ("gate.Q4_K_M"); a dot in a facet is escaped instead.
  const std::string label = "input." + label_part(input.label, ": ");
  if (input.needs == Needs::kReadyOrHeld) {
    sink.field(label + ".status", status_name(state.status));
    if (state.value != nullptr && !state.value->is_null()) {
      sink.field(label + ".value", sha256(state.value->dump()).hex());
    }
  }
  if (state.artifact == nullptr) return;
  switch (input.projection.kind) {
    case Projection::Kind::kNothing:
      return;
    case Projection::Kind::kWhole:
      sink.field(label, state.artifact->digest().hex());
      return;
    case Projection::Kind::kFacets:
      for (const std::string& facet : input.projection.facets) {
        const auto found = state.artifact->facets.find(facet);
        sink.field(label + "." + label_part(facet, ".: "),
                   found != state.artifact->facets.end()
                       ? found->second
                       : "whole " + state.artifact->digest().hex());
      }
      return;
  }
}

bool is_reserved(std::string_view label) {
  return label == "rule" || label == "rule.version" || label.starts_with("param.") ||
         label == "param" || label.starts_with("input.");
}

}  // namespace

void TextSink::field(std::string_view label, std::string_view value) {
  append_line(text_, label, value);
}

void HashSink::field(std::string_view label, std::string_view value) {
  std::string line;
  append_line(line, label, value);
  hash_.update(line);
}

void walk_key(const Node& node, std::string_view rule_version, std::span<const InputState> inputs,
              KeySink& sink) {
  check(node.kind == NodeKind::kAction, "only actions have a key");
  check(inputs.size() == node.inputs.size(), "every input has a state");
  sink.field("rule", node.rule);
  sink.field("rule.version", rule_version);
  if (node.params.is_object()) {
    if (!node.params.as_object().empty()) walk_param("param", node.params, sink);
  } else {
    check(node.params.is_null(), "parameters are an object");
  }
  for (const Field& field : node.fields) {
    check(!is_reserved(field.label), "a field does not take a label of the engine's own");
    sink.field(label_part(field.label, ": "), field.value);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) walk_input(node.inputs[i], inputs[i], sink);
}

Key make_key(const Node& node, std::string_view rule_version, std::span<const InputState> inputs) {
  TextSink sink;
  walk_key(node, rule_version, inputs, sink);
  return {sha256(sink.text()), sink.text()};
}

}  // namespace qbuild::engine
