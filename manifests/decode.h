#pragma once
// From the merged tree of a model to values. Each reader adds diagnostics to its scope and returns
// what it could make of the rest, so that one load finds all errors.

#include <optional>
#include <vector>

#include "manifests/manifest.h"
#include "manifests/scope.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {

// decode_quants.cc. `quants`: a text or a list.
[[nodiscard]] std::vector<Variant> decode_quants(const YamlNode& quants, const Scope& scope);
// Sets that no model may use by chance: their words are checked all the same.
void check_sets(const YamlNode& sets, const Scope& scope);

// decode_recipe.cc. One of `rules`; nothing after a diagnostic.
[[nodiscard]] std::optional<RecipeRule> decode_rule(const YamlNode& rule, const Scope& scope);

// decode_command.cc. A mapping with `method: command`.
[[nodiscard]] Command decode_command(const YamlNode& quant, const Scope& scope);

// decode_benchmark.cc.
[[nodiscard]] Benchmark decode_benchmark(const YamlNode& benchmark, const Scope& scope);
[[nodiscard]] std::vector<Gate> decode_gates(const YamlNode& gates, const Scope& scope);

// decode_publish.cc. Nothing after a diagnostic.
[[nodiscard]] std::optional<Publish> decode_publish(const YamlNode& publish,
                                                    const std::vector<Variant>& variants,
                                                    const Scope& scope);

// decode_model.cc. One model of one combination; `model` has the defaults under it.
//   name  with its matrix variables replaced
[[nodiscard]] std::optional<Model> decode_model(const TextValue& name, const YamlNode& model,
                                                Scope scope);

}  // namespace qbuild::manifests
