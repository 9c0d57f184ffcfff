#pragma once
// Variables in texts: "{model}", "{size}" of a matrix; "{{" and "}}" are braces. Nothing else is
// replaced: there is no code in manifests, and no environment.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/diagnostic.h"
#include "manifests/keys.h"
#include "manifests/manifest.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {

struct VariableValues {
  std::vector<MatrixValue> matrix;
  std::string model;
  std::string variant;
  std::string source_name;
};

// The text with its variables replaced. {date}, {source} and {out} stay for those who use the text;
// braces that would then be taken for one of them are refused. Nothing after a diagnostic.
//   allowed  where it is 0, the text is taken as it is
[[nodiscard]] std::optional<std::string> expand(const YamlNode& text, Variables allowed,
                                                const VariableValues& values,
                                                Diagnostics& diagnostics);

// What is wrong with the name of a model, variant or text, or nothing.
[[nodiscard]] std::optional<std::string> name_problem(std::string_view name);

// What is wrong with a path, relative or not, or nothing. It may leave its folder: a manifest says
// where things are.
[[nodiscard]] std::optional<std::string> path_problem(std::string_view path);

// Names that a matrix variable may not take, because they are variables already.
[[nodiscard]] bool is_builtin_variable(std::string_view name);

// ASCII letters made small: what two names share that a disk may not tell apart.
[[nodiscard]] std::string folded(std::string_view text);

}  // namespace qbuild::manifests
