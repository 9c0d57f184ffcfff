#include <fmt/core.h>

#include <algorithm>

#include "manifests/decode.h"
#include "manifests/file_names.h"
#include "manifests/source_name.h"

namespace qbuild::manifests {
namespace {

// Nothing after a diagnostic.
std::optional<Source> decode_source(const YamlNode& model, const Scope& scope) {
  const auto text = scope.text(model, Section::kModel, "source");
  if (!text) return std::nullopt;
  if (text->text.find("://") != std::string::npos) {
    scope.diagnostics.add(
        text->at, fmt::format("{}: downloading is not possible yet; fetch the model and give "
                              "its folder or GGUF file as the source",
                              quote(text->text)));
    return std::nullopt;
  }
  const auto path = scope.resolved(*text);
  if (!path) return std::nullopt;
  Source source{.path = *path,
                .is_gguf = is_gguf_path(path->path),
                .name = source_name(path->path),
                .may_requantize = false};
  if (const YamlNode* const again = scope.value(model, Section::kModel, "requantize"))
    source.may_requantize = again->as_bool().value_or(false);
  if (source.name.empty()) {
    scope.diagnostics.add(text->at, fmt::format("{} cannot be a source: give the folder of a "
                                                "checkpoint, or a GGUF file",
                                                quote(text->text)));
    return std::nullopt;
  }
  return source;
}

std::optional<std::vector<std::string>> decode_licenses(const YamlNode& model, const Scope& scope) {
  const YamlNode* const list = scope.value(model, Section::kModel, "licenses");
  if (list == nullptr || !list->is_list()) return std::nullopt;
  std::vector<std::string> licenses;
  for (const YamlNode& item : list->items)
    if (item.is_text()) licenses.push_back(item.text);
  return licenses;
}

std::optional<LicenseOverride> decode_license(const YamlNode& model, const Scope& scope) {
  const YamlNode* const node = scope.value(model, Section::kModel, "license");
  if (node == nullptr) return std::nullopt;
  const auto accept = scope.text(*node, Section::kLicense, "accept");
  const auto reason = scope.text(*node, Section::kLicense, "reason");
  if (!accept || !reason) return std::nullopt;
  return LicenseOverride{accept->text, reason->text, node->at};
}

// "owner/name"; "" if it is absent, or after a diagnostic.
std::string decode_base_model(const YamlNode& card, const Scope& scope) {
  const auto text = scope.text(card, Section::kCard, "base_model");
  if (!text) return "";
  if (const auto problem = repo_problem(text->text)) {
    scope.diagnostics.add(text->at,
                          fmt::format("{} is no repository: {}", quote(text->text), *problem));
    return "";
  }
  return text->text;
}

// The part, unless it is absent or switched off.
const YamlNode* part(const YamlNode& model, std::string_view key, const Scope& scope) {
  const YamlNode* const node = scope.value(model, Section::kModel, key);
  return node != nullptr && node->is_mapping() ? node : nullptr;
}

void check_imatrix(const Model& decoded, const YamlNode& model, const Scope& scope) {
  if (decoded.imatrix) return;
  // What is wrong with it has been said.
  if (const YamlNode* const node = model.find("imatrix"); node != nullptr && !node->as_bool())
    return;
  for (const Variant& variant : decoded.variants)
    if (variant.uses_imatrix)
      scope.diagnostics.add(
          variant.at, fmt::format("{} wants an importance matrix, and the model {} has none; give "
                                  "it the key \"imatrix\"",
                                  quote(variant.name), quote(decoded.name)));
}

// Without the texts, paths and variants that were charged when they were made.
std::size_t size_of(const Model& model) {
  std::size_t size = sizeof(Model) + model.name.size() + model.benchmark.declaration.size() +
                     model.benchmark.texts.size() * sizeof(PerplexityText) +
                     model.gates.size() * sizeof(Gate);
  for (const MatrixValue& one : model.matrix)
    size += sizeof(MatrixValue) + one.variable.size() + one.value.size();
  if (model.licenses)
    for (const std::string& license : *model.licenses) size += sizeof(std::string) + license.size();
  return size;
}

}  // namespace

std::optional<Model> decode_model(const TextValue& name, const YamlNode& model, Scope scope) {
  Model decoded;
  decoded.name = name.text;
  decoded.at = name.at;
  decoded.matrix = scope.values.matrix;
  scope.values.model = name.text;
  for (const std::string_view key : {"source", "quants"})
    if (model.find(key) == nullptr)
      scope.diagnostics.add(
          name.at, fmt::format("the model {} needs the key \"{}\"", quote(name.text), key));
  const auto source = decode_source(model, scope);
  if (source) scope.values.source_name = source->name;
  if (const YamlNode* const quants = scope.value(model, Section::kModel, "quants"))
    decoded.variants = decode_quants(*quants, scope);
  decoded.chat_template = scope.path(model, Section::kModel, "template");
  decoded.imatrix = scope.path(model, Section::kModel, "imatrix");
  check_imatrix(decoded, model, scope);
  if (const YamlNode* const benchmark = part(model, "benchmark", scope))
    decoded.benchmark = decode_benchmark(*benchmark, scope);
  if (const YamlNode* const gates = part(model, "gates", scope))
    decoded.gates = decode_gates(*gates, scope);
  decoded.licenses = decode_licenses(model, scope);
  if (const YamlNode* const licenses = model.find("licenses")) decoded.licenses_at = licenses->at;
  decoded.license = decode_license(model, scope);
  if (const YamlNode* const card = part(model, "card", scope)) {
    decoded.card_template = scope.path(*card, Section::kCard, "template");
    decoded.base_model = decode_base_model(*card, scope);
  }
  if (const YamlNode* const publish = part(model, "publish", scope))
    decoded.publish = decode_publish(*publish, decoded.variants, scope);
  if (!source || !scope.load.budget.keep(name.at, size_of(decoded))) return std::nullopt;
  decoded.source = *source;
  return decoded;
}

}  // namespace qbuild::manifests
