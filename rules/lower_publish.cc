#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "manifests/file_names.h"
#include "rules/card.h"
#include "rules/gates.h"
#include "rules/lowering.h"
#include "rules/publish.h"
#include "rules/published.h"
#include "rules/rule_table.h"

namespace qbuild::rules {
namespace {

using engine::Input;
using engine::InputValue;
using engine::Needs;
using engine::Node;
using engine::NodeId;
using engine::NodeKind;
using engine::Projection;
using engine::Status;
using engine::Verdict;

const InputValue* find(std::span<const InputValue> values, std::string_view label) {
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.label == label; });
  return found == values.end() ? nullptr : &*found;
}

Json result_of(std::span<const InputValue> values, std::string_view label) {
  const InputValue* const value = find(values, label);
  return value == nullptr ? Json() : value->result;
}

std::vector<Gate> gates_of(const manifests::Model& model) {
  std::vector<Gate> gates;
  for (const manifests::Gate& gate : model.gates)
    gates.push_back({gate.metric, gate.min, gate.max});
  return gates;
}

// Where the source's card is, or would be.
fs::path source_card(const manifests::Source& source) {
  return (source.is_gguf ? source.path.path.parent_path() : source.path.path) / kCardName;
}

// The licence as `publish` sees it: ready, or held with the way out.
NodeId lower_license(Lowering& lowering, LoweringModel& model) {
  Verdict verdict;
  const std::string license = model.source.license();
  const std::string place = lowering.place_text(model.model.licenses_at);
  if (model.model.licenses) {
    const auto& allowed = *model.model.licenses;
    const bool listed = std::find(allowed.begin(), allowed.end(), license) != allowed.end();
    const bool accepted = model.model.license && model.model.license->accept == license;
    if (!listed && !accepted) {
      verdict.held = true;
      verdict.reason =
          license.empty()
              ? fmt::format(
                    "{}: licenses is given, and the source states none; ask its owner, and write "
                    "`license: NAME` in the front matter of {}",
                    place, source_card(model.model.source).string())
              : fmt::format(
                    "{}: licence {} is not in licenses; add it there, or accept it for this model "
                    "with license: {{accept: {}, reason: ...}}",
                    place, license, license);
    }
  }
  Node node;
  node.kind = NodeKind::kCheck;
  node.target = model.model.name + ":license";
  node.judge = [verdict](std::span<const InputValue>) { return verdict; };
  return lowering.graph.add(std::move(node));
}

// What is published of this model's variants now, by variant.
Json published_forms(Lowering& lowering, const std::string& hub_name, const fs::path& hub_path,
                     const std::string& repo_text) {
  Json forms = Json::object();
  if (!lowering.files.stat(hub_path)) return forms;
  const auto hub = open_hub(hub_name, hub_path, lowering.files, lowering.clock);
  if (const auto published = read_published(*hub, hub::parse_repo_id(repo_text)))
    for (const PublishedVariant& variant : published->variants)
      forms[variant.name] = to_json(variant);
  return forms;
}

// One repository and the variants that it is to hold.
struct Repository {
  std::string repo;
  std::string target_prefix;  // "bard" or "bard:Q4_0"
  std::vector<const manifests::PublishedVariant*> places;
};

std::vector<Repository> repositories(const manifests::Model& model) {
  std::vector<Repository> list;
  for (const manifests::PublishedVariant& place : model.publish->variants) {
    const bool own = model.publish->layout == manifests::Layout::kPerVariant;
    if (own || list.empty())
      list.push_back({.repo = place.repo.text,
                      .target_prefix = own ? model.name + ":" + place.variant : model.name,
                      .places = {}});
    list.back().places.push_back(&place);
  }
  return list;
}

VariantTargets& variant_targets(LoweringModel& model, const std::string& name) {
  return *std::find_if(model.targets.variants.begin(), model.targets.variants.end(),
                       [&](const VariantTargets& v) { return v.name == name; });
}

std::string path_in_repository(const manifests::PublishedVariant& place) {
  return place.folder.empty() ? place.file : place.folder + "/" + place.file;
}

NodeId lower_ready(Lowering& lowering, LoweringModel& model, const Repository& repository,
                   bool any_published) {
  Node node;
  node.kind = NodeKind::kCheck;
  node.target = repository.target_prefix + ":ready";
  for (const auto* place : repository.places)
    node.inputs.push_back({.label = "gate." + place->variant,
                           .from = variant_targets(model, place->variant).gate,
                           .projection = {.kind = Projection::Kind::kNothing, .facets = {}},
                           .needs = Needs::kReadyOrHeld});
  node.judge = [any_published](std::span<const InputValue> values) {
    const bool ready = std::any_of(values.begin(), values.end(), [](const InputValue& value) {
      return value.status == Status::kReady;
    });
    if (ready || any_published) return Verdict{};
    return Verdict{
        .held = true, .reason = "every variant is held, and none is published", .value = {}};
  };
  return lowering.graph.add(std::move(node));
}

// Inputs that card and publish share.
void add_variant_inputs(Node& node, LoweringModel& model, const Repository& repository) {
  for (const auto* place : repository.places) {
    const VariantTargets& variant = variant_targets(model, place->variant);
    node.inputs.push_back({.label = "model." + variant.name, .from = variant.made});
    node.inputs.push_back(
        {.label = "gate." + variant.name, .from = variant.gate, .needs = Needs::kReadyOrHeld});
  }
}

Json card_variants(LoweringModel& model, const Repository& repository) {
  Json list = Json::array();
  for (const auto* place : repository.places) {
    const auto variant =
        std::find_if(model.model.variants.begin(), model.model.variants.end(),
                     [&](const manifests::Variant& v) { return v.name == place->variant; });
    Json entry = Json::object({{"name", variant->name}});
    if (place->file.empty()) {
      entry["folder"] = place->folder;
    } else {
      entry["file"] = path_in_repository(*place);
      entry["label"] = manifests::quant_label(place->file).value_or(variant->name);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

// As the manifest spells it; but where somebody's files lie is nobody else's business.
std::string public_path(const std::string& text) {
  const fs::path path = text;
  return path.is_absolute() ? "./" + path.filename().string() : text;
}

std::string public_benchmark(const manifests::Benchmark& benchmark) {
  std::string text = benchmark.declaration;
  for (const manifests::PerplexityText& one : benchmark.texts)
    if (const std::string shown = public_path(one.text.text); shown != one.text.text)
      for (auto at = text.find(one.text.text); at != std::string::npos;
           at = text.find(one.text.text, at + shown.size()))
        text.replace(at, one.text.text.size(), shown);
  return text;
}

// What makes these files and their numbers, and nothing else of the manifest: a gate that moved
// changes no card.
std::string manifest_part(const LoweringModel& model, const Repository& repository) {
  std::string text = fmt::format("version: 1\nmodels:\n  {}:\n    source: {}\n", model.model.name,
                                 public_path(model.model.source.path.text));
  if (model.model.source.may_requantize) text += "    requantize: true\n";
  if (model.model.chat_template)
    text += fmt::format("    template: {}\n", public_path(model.model.chat_template->text));
  std::string quants;
  bool use_imatrix = false;
  for (const auto* place : repository.places)
    for (const manifests::Variant& variant : model.model.variants)
      if (variant.name == place->variant) {
        quants += fmt::format("\n      - {}", variant.declaration);
        use_imatrix = use_imatrix || variant.uses_imatrix;
      }
  if (use_imatrix) text += fmt::format("    imatrix: {}\n", public_path(model.model.imatrix->text));
  text += "    quants:" + quants;
  if (!model.model.benchmark.declaration.empty())
    text += fmt::format("\n    benchmark: {}", public_benchmark(model.model.benchmark));
  return text;
}

std::string_view layout_name(manifests::Layout layout) {
  switch (layout) {
    case manifests::Layout::kFlat:
      return "flat";
    case manifests::Layout::kFolders:
      return "folders";
    case manifests::Layout::kPerVariant:
      return "per-variant";
  }
  return "flat";
}

NodeId lower_card(Lowering& lowering, LoweringModel& model, const Repository& repository,
                  NodeId ready) {
  Node node;
  node.target = repository.target_prefix + ":card";
  node.rule = card_traits().name;
  node.params = Json::object({{"model", model.model.name},
                              {"source", model.source.name},
                              {"manifest", manifest_part(model, repository)},
                              {"repo", repository.repo},
                              {"layout", layout_name(model.model.publish->layout)},
                              {"variants", card_variants(model, repository)}});
  if (!model.model.base_model.empty()) node.params["base_model"] = model.model.base_model;
  if (model.model.license)
    node.params["license"] = Json::object(
        {{"accept", model.model.license->accept}, {"reason", model.model.license->reason}});
  node.context = Json::object({{"source", model.source.path.string()}});
  node.inputs.push_back({.label = "source",
                         .from = model.targets.source,
                         .projection = {.kind = Projection::Kind::kFacets, .facets = {"readme"}}});
  if (model.model.card_template)
    node.inputs.push_back(
        {.label = "template",
         .from = lowering.file_node(model.model.card_template->path, "template")});
  else
    node.fields = {{"template", builtin_templates_digest()}};
  if (model.targets.source_quality)
    node.inputs.push_back({.label = "source_quality", .from = *model.targets.source_quality});
  add_variant_inputs(node, model, repository);
  for (const auto* place : repository.places) {
    const VariantTargets& variant = variant_targets(model, place->variant);
    if (variant.quality)
      node.inputs.push_back({.label = "quality." + variant.name, .from = *variant.quality});
    if (variant.speed)
      node.inputs.push_back({.label = "speed." + variant.name, .from = *variant.speed});
  }
  node.inputs.push_back({.label = "ready",
                         .from = ready,
                         .projection = {.kind = Projection::Kind::kNothing, .facets = {}}});
  const bool own = model.model.publish->layout == manifests::Layout::kPerVariant;
  const std::string folder = own ? repository.places.front()->variant + "/" : "";
  node.exports = {{std::string(kCardName),
                   export_path(lowering, model.model, folder + std::string(kCardName))}};
  node.resources.threads = 1;
  node.expected_seconds = 0.01;
  return lowering.graph.add(std::move(node));
}

NodeId lower_publication(Lowering& lowering, LoweringModel& model, const Repository& repository,
                         NodeId card, NodeId license) {
  const manifests::Publish& publish = *model.model.publish;
  Json variants = Json::array();
  for (const auto* place : repository.places) {
    Json entry = Json::object({{"name", place->variant}});
    if (place->file.empty())
      entry["folder"] = place->folder;
    else
      entry["file"] = path_in_repository(*place);
    variants.push_back(std::move(entry));
  }
  Node node;
  node.target = repository.target_prefix + ":publish";
  node.rule = publish_traits().name;
  node.params = Json::object({{"repo", repository.repo},
                              {"hub", publish.hub.text},
                              {"private", publish.is_private},
                              {"variants", std::move(variants)}});
  node.context =
      Json::object({{"hub_path", publish.hub.path.string()}, {"message", publish.message}});
  if (lowering.options.source_date) node.context["unix_seconds"] = *lowering.options.source_date;
  node.inputs.push_back({.label = "card", .from = card});
  node.inputs.push_back({.label = "license",
                         .from = license,
                         .projection = {.kind = Projection::Kind::kNothing, .facets = {}}});
  add_variant_inputs(node, model, repository);
  node.resources.threads = 1;
  node.expected_seconds = 0.05;
  return lowering.graph.add(std::move(node));
}

}  // namespace

void lower_gate(Lowering& lowering, LoweringModel& model, VariantTargets& variant,
                const Json& published) {
  Node node;
  node.kind = NodeKind::kCheck;
  node.target = fmt::format("{}:{}:gate", model.model.name, variant.name);
  node.inputs.push_back({.label = "model", .from = variant.made});
  if (variant.quality) node.inputs.push_back({.label = "quality", .from = *variant.quality});
  if (variant.speed) node.inputs.push_back({.label = "speed", .from = *variant.speed});
  if (model.targets.source_quality)
    node.inputs.push_back({.label = "source_quality", .from = *model.targets.source_quality});
  node.judge = [gates = gates_of(model.model), published](std::span<const InputValue> values) {
    const InputValue* const made = find(values, "model");
    Verdict verdict = judge(
        gates, measured_metrics(result_of(values, "quality"), result_of(values, "source_quality"),
                                result_of(values, "speed"),
                                made == nullptr ? Json() : made->artifact.facts));
    // The card says why: the bound and the number are part of what is published of it.
    if (verdict.held && !published.is_null()) {
      verdict.value = published;
      verdict.value["held_by"] = verdict.reason;
    }
    return verdict;
  };
  variant.gate = lowering.graph.add(std::move(node));
}

void lower_publish(Lowering& lowering, LoweringModel& model) {
  if (!model.model.publish) {
    for (VariantTargets& variant : model.targets.variants) lower_gate(lowering, model, variant, {});
    return;
  }
  const manifests::Publish& publish = *model.model.publish;
  if (publish.hub.is_url) {
    lowering.complain(publish.hub.at,
                      fmt::format("publishing to {} is not possible yet; give a folder: hub: ./hub",
                                  publish.hub.text));
    return;
  }
  const NodeId license = lower_license(lowering, model);
  for (const Repository& repository : repositories(model.model)) {
    const Json forms =
        published_forms(lowering, publish.hub.text, publish.hub.path, repository.repo);
    for (const auto* place : repository.places) {
      const Json* const form = forms.find(place->variant);
      lower_gate(lowering, model, variant_targets(model, place->variant),
                 form == nullptr ? Json() : *form);
    }
    const NodeId ready = lower_ready(lowering, model, repository, !forms.as_object().empty());
    const NodeId card = lower_card(lowering, model, repository, ready);
    const NodeId published = lower_publication(lowering, model, repository, card, license);
    model.targets.repositories.push_back({.repo = repository.repo,
                                          .hub = publish.hub.text,
                                          .hub_path = publish.hub.path,
                                          .card = card,
                                          .publish = published});
  }
}

}  // namespace qbuild::rules
