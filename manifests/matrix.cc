#include "manifests/matrix.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "manifests/limits.h"
#include "manifests/quant_names.h"
#include "manifests/variables.h"

namespace qbuild::manifests {
namespace {

constexpr std::string_view kExclude = "exclude";

// Values are texts of the tree, which stays.
struct Axis {
  std::string_view variable;
  std::vector<std::string_view> values;
  std::unordered_map<std::string_view, std::size_t> indexes;
};

// For each axis the index of a value.
using Combination = std::vector<std::size_t>;
// What an exclude names: indexes of axes and of their values.
using Exclude = std::vector<std::pair<std::size_t, std::size_t>>;

bool is_variable_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// False after a diagnostic.
bool check_variable(const YamlMember& member, Diagnostics& diagnostics) {
  std::string problem;
  if (is_builtin_variable(member.key))
    problem = "is a variable already; choose another name";
  else if (!is_variable_name(member.key))
    problem =
        "is no name for a variable: small letters, digits and _ only, not beginning with a digit";
  else if (member.key.size() > kMaxNameBytes)
    problem =
        fmt::format("is no name for a variable: it is longer than {} characters", kMaxNameBytes);
  if (!problem.empty())
    diagnostics.add(member.at, fmt::format("{} {}", quote(member.key), problem));
  return problem.empty();
}

// Nothing after a diagnostic.
std::optional<Axis> read_axis(const YamlMember& member, Diagnostics& diagnostics) {
  if (!check_variable(member, diagnostics) || !member.value.is_list()) return std::nullopt;
  Axis axis{member.key, {}, {}};
  bool is_whole = true;
  for (const YamlNode& item : member.value.items) {
    if (!item.is_scalar()) return std::nullopt;
    const bool is_new = axis.indexes.emplace(item.text, axis.values.size()).second;
    // Every value becomes a part of a model's name.
    const bool is_short = item.text.size() <= kMaxNameBytes;
    if (!is_new)
      diagnostics.add(item.at, fmt::format("the value {} stands twice", quote(item.text)));
    if (!is_short && item.text.size() <= kMaxTextBytes)  // of a longer one check_shape complains
      diagnostics.add(item.at, fmt::format("the value {} is longer than {} characters, too long "
                                           "for a part of a name",
                                           quote(item.text), kMaxNameBytes));
    is_whole = is_whole && is_new && is_short;
    axis.values.push_back(item.text);
  }
  if (!is_whole || axis.values.empty()) return std::nullopt;
  return axis;
}

// Nothing after a diagnostic.
std::optional<std::vector<Axis>> read_axes(const YamlNode& matrix, Diagnostics& diagnostics) {
  std::vector<Axis> axes;
  bool is_good = true;
  std::size_t count = 1;
  for (const YamlMember& member : matrix.members) {
    if (member.key == kExclude) continue;
    if (axes.size() == kMaxMatrixVariables) {
      diagnostics.add(member.at,
                      fmt::format("a matrix has at most {} variables", kMaxMatrixVariables));
      return std::nullopt;
    }
    auto axis = read_axis(member, diagnostics);
    if (!axis) {
      is_good = false;
      continue;
    }
    count *= axis->values.size();
    if (count > kMaxModels) {
      diagnostics.add(matrix.at,
                      fmt::format("the matrix has more than {} combinations", kMaxModels));
      return std::nullopt;
    }
    axes.push_back(std::move(*axis));
  }
  if (axes.empty() && is_good) diagnostics.add(matrix.at, "the matrix has no variables");
  if (axes.empty() || !is_good) return std::nullopt;
  return axes;
}

// Sees to it that an exclude can match something: a slip in it would otherwise build what nobody
// wants. Nothing after a diagnostic.
std::optional<Exclude> read_exclude(const YamlNode& exclude, const std::vector<Axis>& axes,
                                    Diagnostics& diagnostics) {
  Exclude read;
  std::vector<std::string_view> variables;
  variables.reserve(axes.size());
  for (const Axis& axis : axes) variables.push_back(axis.variable);
  for (const YamlMember& member : exclude.members) {
    const auto axis = std::find_if(axes.begin(), axes.end(),
                                   [&](const Axis& one) { return one.variable == member.key; });
    if (axis == axes.end()) {
      diagnostics.add(member.at, unknown_word("variable", member.key, variables));
      continue;
    }
    const auto value = axis->indexes.find(member.value.text);
    if (value == axis->indexes.end())
      diagnostics.add(member.value.at, unknown_word(fmt::format("value of \"{}\":", member.key),
                                                    member.value.text, axis->values));
    else
      read.emplace_back(axis - axes.begin(), value->second);
  }
  if (read.size() < exclude.members.size()) return std::nullopt;
  return read;
}

// Nothing after a diagnostic.
std::optional<std::vector<Exclude>> read_excludes(const YamlNode& matrix,
                                                  const std::vector<Axis>& axes,
                                                  Diagnostics& diagnostics) {
  std::vector<Exclude> excludes;
  const YamlNode* const list = matrix.find(kExclude);
  if (list == nullptr || !list->is_list()) return excludes;
  if (list->items.size() > kMaxExcludes) {
    diagnostics.add(list->at, fmt::format("more than {} excludes", kMaxExcludes));
    return std::nullopt;
  }
  bool is_good = true;
  for (const YamlNode& item : list->items) {
    auto exclude = read_exclude(item, axes, diagnostics);
    is_good = is_good && exclude;
    // check_shape has complained of an empty one; it does not match everything.
    if (exclude && !exclude->empty()) excludes.push_back(std::move(*exclude));
  }
  if (!is_good) return std::nullopt;
  return excludes;
}

bool is_excluded(const Combination& combination, const std::vector<Exclude>& excludes) {
  return std::any_of(excludes.begin(), excludes.end(), [&](const Exclude& exclude) {
    return std::all_of(exclude.begin(), exclude.end(),
                       [&](const auto& one) { return combination[one.first] == one.second; });
  });
}

// To the next combination, the last variable changing fastest. False: there is none.
bool advance(Combination& combination, const std::vector<Axis>& axes) {
  for (std::size_t i = axes.size(); i-- > 0;) {
    if (++combination[i] < axes[i].values.size()) return true;
    combination[i] = 0;
  }
  return false;
}

std::vector<MatrixValue> values_of(const Combination& combination, const std::vector<Axis>& axes) {
  std::vector<MatrixValue> values;
  values.reserve(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i)
    values.push_back({std::string(axes[i].variable), std::string(axes[i].values[combination[i]])});
  return values;
}

}  // namespace

std::vector<std::vector<MatrixValue>> combinations(const YamlNode& matrix,
                                                   Diagnostics& diagnostics) {
  const auto axes = read_axes(matrix, diagnostics);
  if (!axes) return {};
  const auto excludes = read_excludes(matrix, *axes, diagnostics);
  if (!excludes) return {};
  std::vector<std::vector<MatrixValue>> all;
  Combination combination(axes->size(), 0);
  do {
    if (!is_excluded(combination, *excludes)) all.push_back(values_of(combination, *axes));
  } while (advance(combination, *axes));
  if (all.empty()) diagnostics.add(matrix.find(kExclude)->at, "the excludes leave no combination");
  return all;
}

}  // namespace qbuild::manifests
