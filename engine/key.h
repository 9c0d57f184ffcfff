#pragma once
// The key of an action: labelled fields, one walk, two sinks. The walk writes every field that can
// influence an output byte, in fixed order; one sink hashes what the other one prints, so the key
// is the SHA-256 of the text and `why` cannot disagree with it.
//
// The text has one field per line, "label: value\n". In values a backslash, a newline and other
// control characters are escaped (\\ \n \x1b), in names that become part of a label also the
// characters that labels are made of (%2e for a dot), so that no field can run into another. In
// this order:
//
//   rule: quantize
//   rule.version: 1
//   param.type: "Q4_K_M"              every leaf of params as JSON; members sorted by name, lists
//   by index param.rules[0].match: "attn_"     (an empty list or object is a leaf: [] or {})
//   encoder.Q4_K: 1                   Node::fields, in their order
//   input.model.tensors: 12ab...      inputs in their order: per facet, or
//   input.text: 34cd...               the whole artifact's digest
//   input.gate.status: held           of soft inputs, first
//   input.gate.value: 56ef...         of soft inputs: what a check says of its judgement, SHA-256
//   of its JSON
//
// A facet that the artifact lacks is written as "whole DIGEST": less is reused then, nothing
// wrongly.

#include <span>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/json.h"
#include "cache/artifact.h"
#include "engine/node.h"

namespace qbuild::engine {

// What the key sees of one input that is settled.
struct InputState {
  Status status = Status::kReady;
  const cache::Artifact* artifact = nullptr;  // null: there is none (a check, or a held action)
  const Json* value = nullptr;  // of a check's judgement; null or JSON null: says nothing
};

class KeySink {
 public:
  virtual ~KeySink() = default;
  virtual void field(std::string_view label, std::string_view value) = 0;
};

// A plain line of text per field, escaped.
class TextSink final : public KeySink {
 public:
  void field(std::string_view label, std::string_view value) override;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// SHA-256 of what TextSink would hold, without holding it.
class HashSink final : public KeySink {
 public:
  void field(std::string_view label, std::string_view value) override;
  [[nodiscard]] Digest finish() { return hash_.finish(); }

 private:
  Sha256 hash_;
};

// The walk.
//   node     an action
//   inputs   parallel to node.inputs
void walk_key(const Node& node, std::string_view rule_version, std::span<const InputState> inputs,
              KeySink& sink);

struct Key {
  Digest digest;
  std::string text;
};
[[nodiscard]] Key make_key(const Node& node, std::string_view rule_version,
                           std::span<const InputState> inputs);

}  // namespace qbuild::engine
