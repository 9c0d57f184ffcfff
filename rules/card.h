#pragma once
// The rule `card`: the README.md of a repository, from records alone. Front matter is written by
// the YAML emitter and parsed back; the text comes from a template over the document of
// rules/card_document.h.
//
// Parameters: model, source, manifest (the part that makes these files), repo, layout,
//   variants: a list of {"name", "file" or "folder", "label"},
//   license: {"accept", "reason"} if one was accepted, base_model ("owner/name") if one is given.
// Inputs: "source" (facet readme), "template" (a user's own), "source_quality", and per variant
//   "model.NAME", "gate.NAME" (soft), "quality.NAME", "speed.NAME".
// Field: template (digest of the built-in ones, where no own is used).
// Output: README.md, document.json (what the template saw), origins.json (which record each value
//   is from).

#include <memory>
#include <string>

#include "engine/rule.h"

namespace qbuild::rules {

// Over the names and texts of all built-in templates: hex.
[[nodiscard]] std::string builtin_templates_digest();

[[nodiscard]] std::unique_ptr<engine::Rule> make_card_rule();

}  // namespace qbuild::rules
