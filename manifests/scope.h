#pragma once
// What the readers of a model's parts share: where to complain, and what variables stand for. The
// readers take values that check_shape has passed; what it complained of they pass over in silence.

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "manifests/budget.h"
#include "manifests/diagnostic.h"
#include "manifests/keys.h"
#include "manifests/manifest.h"
#include "manifests/tensor_pattern.h"
#include "manifests/variables.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {

// The sets of a file by name. Refers to the tree.
class SetTable {
 public:
  SetTable() = default;
  explicit SetTable(const YamlNode& sets);

  [[nodiscard]] const YamlNode* find(std::string_view name) const;  // null pointer: no such set
  // In the order of the file.
  [[nodiscard]] const std::vector<std::string_view>& names() const { return names_; }

 private:
  std::unordered_map<std::string_view, const YamlNode*> by_name_;
  std::vector<std::string_view> names_;
};

// What one load shares.
struct LoadState {
  explicit LoadState(Diagnostics& found) : diagnostics(found), budget(found) {}

  Diagnostics& diagnostics;
  Budget budget;
  TensorPatternChecks patterns;
};

struct Scope {
  explicit Scope(LoadState& state) : load(state), diagnostics(state.diagnostics) {}

  LoadState& load;
  Diagnostics& diagnostics;
  const SetTable* sets = nullptr;  // of the file; null pointer: none are known
  VariableValues values;

  // The value of a key, if it is there and of a kind that the key accepts.
  [[nodiscard]] const YamlNode* value(const YamlNode& parent, Section section,
                                      std::string_view key) const;
  // Texts with their variables replaced, charged as kept. Nothing if the key is absent, or after a
  // diagnostic.
  [[nodiscard]] std::optional<TextValue> text(const YamlNode& parent, Section section,
                                              std::string_view key) const;
  [[nodiscard]] std::optional<PathValue> path(const YamlNode& parent, Section section,
                                              std::string_view key) const;
  // A whole number in the key's range.
  [[nodiscard]] std::optional<std::uint32_t> whole(const YamlNode& parent, Section section,
                                                   std::string_view key) const;
  // One text, such as an item of a list.
  [[nodiscard]] std::optional<TextValue> expanded(const YamlNode& text, Variables allowed) const;
  // Relative to the folder of the file that the text stands in. Nothing after a diagnostic.
  [[nodiscard]] std::optional<PathValue> resolved(const TextValue& text) const;

  // The folder of the file.
  [[nodiscard]] fs::path folder_of(const Place& at) const;
  // Complains unless the name can be used.
  //   what  "a model", "a variant"
  [[nodiscard]] bool check_name(std::string_view what, const TextValue& name) const;
};

}  // namespace qbuild::manifests
