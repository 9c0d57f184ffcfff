#include <fmt/core.h>

#include "manifests/decode.h"
#include "manifests/file_names.h"

namespace qbuild::manifests {
namespace {

constexpr std::string_view kDefaultHub = "https://huggingface.co";
constexpr std::string_view kDefaultFile = "{source.name}-{variant}";
constexpr std::string_view kDefaultMessage = "Update by qbuild";

Layout decode_layout(const YamlNode& publish, const Scope& scope) {
  const auto text = scope.text(publish, Section::kPublish, "layout");
  if (text && text->text == "folders") return Layout::kFolders;
  if (text && text->text == "per-variant") return Layout::kPerVariant;
  return Layout::kFlat;
}

std::optional<HubPlace> decode_hub(const YamlNode& publish, const Scope& scope) {
  if (publish.find("hub") == nullptr)
    return HubPlace{std::string(kDefaultHub), true, {}, publish.at};
  const auto text = scope.text(publish, Section::kPublish, "hub");
  if (!text) return std::nullopt;
  const bool is_url = text->text.starts_with("https://") || text->text.starts_with("http://");
  if (is_url) return HubPlace{text->text, true, {}, text->at};
  if (text->text.find("://") != std::string::npos) {
    scope.diagnostics.add(
        text->at,
        fmt::format("{} is no hub; give a folder or an https:// address", quote(text->text)));
    return std::nullopt;
  }
  const auto path = scope.resolved(*text);
  if (!path) return std::nullopt;
  return HubPlace{text->text, false, path->path, text->at};
}

// A key's own node, or its default as if it were written.
YamlNode text_or(const YamlNode& publish, std::string_view key, std::string_view fallback) {
  if (const YamlNode* const node = publish.find(key)) return *node;
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.at = publish.at;
  node.text = fallback;
  return node;
}

bool check_repo_pattern(const YamlNode& repo, Layout layout, const Scope& scope) {
  const bool names_variant = repo.text.find("{variant}") != std::string::npos;
  if (layout == Layout::kPerVariant && !names_variant) {
    scope.diagnostics.add(
        repo.at,
        R"(with the layout "per-variant" the "repo" must contain {variant}: one repository each)");
    return false;
  }
  if (layout != Layout::kPerVariant && names_variant) {
    scope.diagnostics.add(repo.at,
                          R"("repo" may contain {variant} only with the layout "per-variant")");
    return false;
  }
  return true;
}

std::optional<PublishedVariant> place_variant(const Variant& variant, Layout layout,
                                              const YamlNode& repo, const YamlNode& file,
                                              Scope& scope) {
  scope.values.variant = variant.name;
  PublishedVariant placed;
  placed.variant = variant.name;
  const auto repo_text = scope.expanded(repo, find_key(Section::kPublish, "repo")->variables);
  if (!repo_text) return std::nullopt;
  placed.repo = *repo_text;
  if (const auto problem = repo_problem(placed.repo.text)) {
    scope.diagnostics.add(
        repo.at, fmt::format("{} is no repository: {}", quote(placed.repo.text), *problem));
    return std::nullopt;
  }
  if (layout == Layout::kFolders) placed.folder = variant.name;
  if (!variant.is_gguf_file) {
    // The layout flat has no place for it, which check_file_names says.
    if (layout != Layout::kPerVariant) placed.folder = variant.name;
    return placed;
  }
  const auto name = scope.expanded(file, find_key(Section::kPublish, "file")->variables);
  if (!name) return std::nullopt;
  placed.file = name->text + ".gguf";
  if (const auto problem = file_name_problem(placed.file)) {
    scope.diagnostics.add(
        file.at, fmt::format("{} cannot be the name of a file: {}", quote(placed.file), *problem));
    return std::nullopt;
  }
  return placed;
}

}  // namespace

std::optional<Publish> decode_publish(const YamlNode& publish, const std::vector<Variant>& variants,
                                      const Scope& scope) {
  Publish decoded;
  decoded.at = publish.at;
  decoded.layout = decode_layout(publish, scope);
  auto hub = decode_hub(publish, scope);
  if (const YamlNode* const is_private = scope.value(publish, Section::kPublish, "private"))
    decoded.is_private = is_private->as_bool().value_or(false);
  const auto message = scope.expanded(text_or(publish, "message", kDefaultMessage),
                                      find_key(Section::kPublish, "message")->variables);
  if (message) decoded.message = message->text;
  const YamlNode file = text_or(publish, "file", kDefaultFile);
  decoded.file_pattern = file.text;

  const YamlNode* const repo = scope.value(publish, Section::kPublish, "repo");
  if (repo == nullptr) {
    if (publish.find("repo") == nullptr)
      scope.diagnostics.add(publish.at, "\"publish\" needs the key \"repo\"");
    return std::nullopt;
  }
  if (!check_repo_pattern(*repo, decoded.layout, scope) || !hub || !file.is_scalar())
    return std::nullopt;
  decoded.hub = std::move(*hub);
  Scope own = scope;
  for (const Variant& variant : variants) {
    // The texts are charged when they are made.
    const std::size_t size = sizeof(PublishedVariant) + 2 * variant.name.size();
    if (!scope.load.budget.keep(variant.at, size)) return std::nullopt;
    auto placed = place_variant(variant, decoded.layout, *repo, file, own);
    if (!placed) return std::nullopt;
    decoded.variants.push_back(std::move(*placed));
  }
  return decoded;
}

}  // namespace qbuild::manifests
