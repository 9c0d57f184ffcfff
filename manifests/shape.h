#pragma once
// The first look at a file: do its keys exist, are their values of the right kind? Driven by the
// table of keys (keys.h). What the values mean is judged later, when includes and defaults are
// merged.

#include "manifests/diagnostic.h"
#include "manifests/keys.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {

// Unknown keys, wrong kinds, empty lists and mappings, unknown words, numbers out of range, missing
// keys where a mapping cannot be merged with another.
void check_shape(const YamlNode& root, Diagnostics& diagnostics);

// Tokens and passwords. Their text is in no message.
void check_secrets(const YamlNode& root, Diagnostics& diagnostics);
// Names of variables and keys that hold secrets: "token", "HF_TOKEN", "db_password".
[[nodiscard]] bool names_a_secret(std::string_view key);

// True if the value is of a kind that the key accepts. What is not is the business of check_shape;
// later readers pass over it.
[[nodiscard]] bool accepts(Shapes shapes, const YamlNode& value);

}  // namespace qbuild::manifests
