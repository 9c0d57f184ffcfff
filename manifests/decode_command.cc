#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "manifests/decode.h"
#include "manifests/shape.h"

namespace qbuild::manifests {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array<Unit, 9> kByteUnits{{
    {"KiB", 1024.0},
    {"MiB", 1048576.0},
    {"GiB", 1073741824.0},
    {"TiB", 1099511627776.0},
    {"kB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"B", 1.0},
}};

constexpr std::array<Unit, 4> kTimeUnits{{{"min", 60}, {"s", 1}, {"h", 3600}, {"d", 86400}}};

// "8GiB", "1.5 GB"; rounded up.
std::optional<std::uint64_t> amount(std::string_view text, std::span<const Unit> units,
                                    std::int64_t most) {
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    std::string_view number = text.substr(0, text.size() - unit.name.size());
    while (number.ends_with(' ')) number.remove_suffix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value,
                                              std::chars_format::fixed);
    if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
    const double whole = std::ceil(value * unit.factor);
    if (!(whole >= 1) || whole > static_cast<double>(most)) return std::nullopt;
    return static_cast<std::uint64_t>(whole);
  }
  return std::nullopt;
}

// What an amount is, and how one is written.
struct Quantity {
  std::span<const Unit> units;
  std::string_view noun;
  std::string_view example;
};
constexpr Quantity kSize{kByteUnits, "size", "8GiB"};
constexpr Quantity kTime{kTimeUnits, "time", "90min"};

std::uint64_t amount_of(const YamlNode& resources, std::string_view key, const Quantity& quantity,
                        const Scope& scope) {
  const YamlNode* const node = scope.value(resources, Section::kResources, key);
  if (node == nullptr) return 0;
  const KeySpec& spec = *find_key(Section::kResources, key);
  if (const auto whole = node->as_whole()) {
    const bool is_in_range = *whole >= spec.least && *whole <= spec.most;
    return is_in_range ? static_cast<std::uint64_t>(*whole) : 0;
  }
  const auto found = amount(node->text, quantity.units, spec.most);
  if (!found)
    scope.diagnostics.add(node->at,
                          fmt::format("{} is no {}; write it as in \"{}\"", quote(node->text),
                                      quantity.noun, quantity.example));
  return found.value_or(0);
}

std::vector<TextValue> texts_of(const YamlNode& quant, std::string_view key, const Scope& scope) {
  std::vector<TextValue> texts;
  const YamlNode* const list = scope.value(quant, Section::kQuant, key);
  if (list == nullptr) return texts;
  const KeySpec& spec = *find_key(Section::kQuant, key);
  for (const YamlNode& item : list->items) {
    if (!accepts(spec.elements, item)) continue;
    if (auto text = scope.expanded(item, spec.variables)) texts.push_back(std::move(*text));
  }
  return texts;
}

std::vector<std::pair<std::string, std::string>> environment_of(const YamlNode& quant,
                                                                const Scope& scope) {
  std::vector<std::pair<std::string, std::string>> variables;
  const YamlNode* const environment = scope.value(quant, Section::kQuant, "environment");
  if (environment == nullptr) return variables;
  for (const YamlMember& member : environment->members) {
    const bool is_name = !member.key.empty() && !(member.key[0] >= '0' && member.key[0] <= '9') &&
                         std::all_of(member.key.begin(), member.key.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                  (c >= '0' && c <= '9') || c == '_';
                         });
    if (!is_name)
      scope.diagnostics.add(
          member.at, fmt::format("{} is no name for an environment variable", quote(member.key)));
    if (!member.value.is_scalar()) continue;
    if (auto text = scope.expanded(member.value, find_key(Section::kEnvironment, "*")->variables))
      variables.emplace_back(member.key, std::move(text->text));
  }
  // Sorted: the same variables in another order are the same action.
  std::sort(variables.begin(), variables.end());
  return variables;
}

// What is wrong with a pattern of outputs, or nothing.
std::optional<std::string_view> pattern_problem(std::string_view pattern) {
  if (pattern.starts_with('/')) return "it is not relative to {out}";
  for (std::string_view rest = pattern; !rest.empty();) {
    const auto slash = rest.find('/');
    if (rest.substr(0, slash) == "..") return "it leaves {out}";
    if (slash == std::string_view::npos) break;
    rest = rest.substr(slash + 1);
  }
  return std::nullopt;
}

}  // namespace

Command decode_command(const YamlNode& quant, const Scope& scope) {
  Command command;
  command.directory = scope.folder_of(quant.at);
  for (const std::string_view key : {"run", "outputs"})
    if (quant.find(key) == nullptr)
      scope.diagnostics.add(quant.at, fmt::format("\"method: command\" needs the key \"{}\"", key));
  for (TextValue& argument : texts_of(quant, "run", scope))
    command.run.push_back(std::move(argument.text));
  for (TextValue& pattern : texts_of(quant, "outputs", scope)) {
    if (const auto problem = pattern_problem(pattern.text))
      scope.diagnostics.add(pattern.at, fmt::format("{} is no pattern of outputs: {}",
                                                    quote(pattern.text), *problem));
    command.outputs.push_back(std::move(pattern.text));
  }
  for (const TextValue& input : texts_of(quant, "inputs", scope))
    if (auto path = scope.resolved(input)) command.inputs.push_back(std::move(*path));
  command.environment = environment_of(quant, scope);
  if (const auto tool = scope.text(quant, Section::kQuant, "tool")) command.tool = tool->text;
  if (const YamlNode* const resources = scope.value(quant, Section::kQuant, "resources")) {
    command.resources.threads = scope.whole(*resources, Section::kResources, "threads").value_or(0);
    command.resources.memory_bytes = amount_of(*resources, "memory", kSize, scope);
    command.resources.scratch_bytes = amount_of(*resources, "scratch", kSize, scope);
    command.resources.time_limit_seconds = amount_of(*resources, "time_limit", kTime, scope);
  }
  return command;
}

}  // namespace qbuild::manifests
