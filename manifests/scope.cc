#include "manifests/scope.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "manifests/limits.h"
#include "manifests/shape.h"

namespace qbuild::manifests {
namespace {

const KeySpec& spec_of(Section section, std::string_view key) {
  const KeySpec* const spec = find_key(section, key);
  check(spec != nullptr, "readers ask for keys of the table");
  return *spec;
}

// A part of a path in memory: a path of its own, its position, and its text if that is long.
constexpr std::size_t kPathPartBytes = 80;

}  // namespace

SetTable::SetTable(const YamlNode& sets) {
  for (const YamlMember& set : sets.members) {
    by_name_.emplace(set.key, &set.value);
    names_.push_back(set.key);
  }
}

const YamlNode* SetTable::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const YamlNode* Scope::value(const YamlNode& parent, Section section, std::string_view key) const {
  const YamlNode* const node = parent.find(key);
  if (node == nullptr || !accepts(spec_of(section, key).accepts, *node)) return nullptr;
  return node;
}

std::optional<TextValue> Scope::text(const YamlNode& parent, Section section,
                                     std::string_view key) const {
  const YamlNode* const node = value(parent, section, key);
  if (node == nullptr || !node->is_text()) return std::nullopt;
  return expanded(*node, spec_of(section, key).variables);
}

std::optional<PathValue> Scope::path(const YamlNode& parent, Section section,
                                     std::string_view key) const {
  const auto found = text(parent, section, key);
  if (!found) return std::nullopt;
  return resolved(*found);
}

std::optional<std::uint32_t> Scope::whole(const YamlNode& parent, Section section,
                                          std::string_view key) const {
  const YamlNode* const node = value(parent, section, key);
  if (node == nullptr) return std::nullopt;
  const KeySpec& spec = spec_of(section, key);
  const auto number = node->as_whole();
  if (!number || *number < spec.least || *number > spec.most) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

std::optional<TextValue> Scope::expanded(const YamlNode& text, Variables allowed) const {
  if (!text.is_scalar() || text.text.size() > kMaxTextBytes) return std::nullopt;
  auto done = expand(text, allowed, values, diagnostics);
  if (!done || !load.budget.keep(text.at, sizeof(TextValue) + done->size())) return std::nullopt;
  return TextValue{std::move(*done), text.at};
}

std::optional<PathValue> Scope::resolved(const TextValue& text) const {
  if (const auto problem = path_problem(text.text)) {
    diagnostics.add(text.at, fmt::format("{}: {}", quote(text.text), *problem));
    return std::nullopt;
  }
  const auto slashes =
      static_cast<std::size_t>(std::count(text.text.begin(), text.text.end(), '/'));
  if (!load.budget.work(text.at, (slashes + 1) * kPathPartBytes)) return std::nullopt;
  if (text.text == "~" || text.text.starts_with("~/"))
    diagnostics.add(
        text.at, fmt::format("{}: \"~\" is not expanded; write the whole path", quote(text.text)));
  fs::path path = (folder_of(text.at) / text.text).lexically_normal();
  // "tiny/" names the folder "tiny".
  if (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
  const auto parts = static_cast<std::size_t>(std::distance(path.begin(), path.end()));
  if (!load.budget.keep(text.at, sizeof(PathValue) + text.text.size() + parts * kPathPartBytes))
    return std::nullopt;
  return PathValue{text.text, std::move(path), text.at};
}

fs::path Scope::folder_of(const Place& at) const {
  return diagnostics.files().at(at.file).path.parent_path();
}

bool Scope::check_name(std::string_view what, const TextValue& name) const {
  const auto problem = name_problem(name.text);
  if (!problem) return true;
  diagnostics.add(name.at,
                  fmt::format("{} cannot be the name of {}: {}", quote(name.text), what, *problem));
  return false;
}

}  // namespace qbuild::manifests
