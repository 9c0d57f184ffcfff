#include "manifests/matrix.h"

#include <fmt/core.h>

#include <algorithm>

#include "manifests/limits.h"
#include "manifests/quant_names.h"
#include "manifests/variables.h"

namespace qbuild::manifests {
namespace {

constexpr std::string_view kExclude = "exclude";
// Each is compared with every combination.
constexpr std::size_t kMaxExcludes = 1000;

struct Axis {
  std::string variable;
  std::vector<std::string> values;
};

bool is_variable_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// Nothing after a diagnostic.
std::optional<Axis> read_axis(const YamlMember& member, Diagnostics& diagnostics) {
  if (is_builtin_variable(member.key)) {
    diagnostics.add(
        member.at, fmt::format("{} is a variable already; choose another name", quote(member.key)));
    return std::nullopt;
  }
  if (!is_variable_name(member.key)) {
    diagnostics.add(member.at,
                    fmt::format("{} is no name for a variable: small letters, digits and _ only, "
                                "not beginning with a digit",
                                quote(member.key)));
    return std::nullopt;
  }
  if (!member.value.is_list()) return std::nullopt;
  Axis axis{member.key, {}};
  bool is_whole = true;
  for (const YamlNode& item : member.value.items) {
    if (!item.is_scalar()) return std::nullopt;
    if (std::find(axis.values.begin(), axis.values.end(), item.text) != axis.values.end()) {
      diagnostics.add(item.at, fmt::format("the value {} stands twice", quote(item.text)));
      is_whole = false;
    }
    axis.values.push_back(item.text);
    if (axis.values.size() > kMaxModels) break;
  }
  if (!is_whole || axis.values.empty()) return std::nullopt;
  return axis;
}

// Sees to it that an exclude can match something: a slip in it would otherwise build what nobody
// wants.
bool check_exclude(const YamlNode& exclude, const std::vector<Axis>& axes,
                   Diagnostics& diagnostics) {
  bool is_good = true;
  std::vector<std::string_view> variables;
  variables.reserve(axes.size());
  for (const Axis& axis : axes) variables.push_back(axis.variable);
  for (const YamlMember& member : exclude.members) {
    const auto axis = std::find_if(axes.begin(), axes.end(),
                                   [&](const Axis& one) { return one.variable == member.key; });
    if (axis == axes.end()) {
      diagnostics.add(member.at, unknown_word("variable", member.key, variables));
      is_good = false;
      continue;
    }
    const std::vector<std::string_view> values(axis->values.begin(), axis->values.end());
    if (std::find(values.begin(), values.end(), member.value.text) == values.end()) {
      diagnostics.add(member.value.at, unknown_word(fmt::format("value of \"{}\":", member.key),
                                                    member.value.text, values));
      is_good = false;
    }
  }
  return is_good;
}

bool is_excluded(const std::vector<MatrixValue>& combination, const YamlNode& excludes) {
  return std::any_of(excludes.items.begin(), excludes.items.end(), [&](const YamlNode& exclude) {
    return !exclude.members.empty() &&
           std::all_of(exclude.members.begin(), exclude.members.end(),
                       [&](const YamlMember& member) {
                         return std::any_of(
                             combination.begin(), combination.end(), [&](const MatrixValue& one) {
                               return one.variable == member.key && one.value == member.value.text;
                             });
                       });
  });
}

std::vector<std::vector<MatrixValue>> multiply(const std::vector<Axis>& axes) {
  std::vector<std::vector<MatrixValue>> all(1);
  for (const Axis& axis : axes) {
    std::vector<std::vector<MatrixValue>> longer;
    for (const auto& one : all) {
      for (const std::string& value : axis.values) {
        longer.push_back(one);
        longer.back().push_back({axis.variable, value});
      }
    }
    all = std::move(longer);
  }
  return all;
}

}  // namespace

std::vector<std::vector<MatrixValue>> combinations(const YamlNode& matrix,
                                                   Diagnostics& diagnostics) {
  std::vector<Axis> axes;
  bool is_good = true;
  std::size_t count = 1;
  for (const YamlMember& member : matrix.members) {
    if (member.key == kExclude) continue;
    auto axis = read_axis(member, diagnostics);
    if (!axis) {
      is_good = false;
      continue;
    }
    count *= axis->values.size();
    if (count > kMaxModels) {
      diagnostics.add(matrix.at,
                      fmt::format("the matrix has more than {} combinations", kMaxModels));
      return {};
    }
    axes.push_back(std::move(*axis));
  }
  if (axes.empty() && is_good) diagnostics.add(matrix.at, "the matrix has no variables");
  if (axes.empty() || !is_good) return {};

  auto all = multiply(axes);
  const YamlNode* const excludes = matrix.find(kExclude);
  if (excludes == nullptr || !excludes->is_list()) return all;
  if (excludes->items.size() > kMaxExcludes) {
    diagnostics.add(excludes->at, fmt::format("more than {} excludes", kMaxExcludes));
    return {};
  }
  for (const YamlNode& exclude : excludes->items)
    is_good = check_exclude(exclude, axes, diagnostics) && is_good;
  if (!is_good) return {};
  std::erase_if(all, [&](const auto& one) { return is_excluded(one, *excludes); });
  if (all.empty()) diagnostics.add(excludes->at, "the excludes leave no combination");
  return all;
}

}  // namespace qbuild::manifests
