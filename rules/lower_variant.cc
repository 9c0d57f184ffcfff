#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/error.h"
#include "engine/node.h"
#include "kernels/codec.h"
#include "kernels/numerics.h"
#include "rules/importance.h"
#include "rules/lowering.h"
#include "rules/quantize.h"
#include "rules/rule_table.h"
#include "rules/tensor_scale.h"

namespace qbuild::rules {
namespace {

using engine::Field;
using engine::Input;
using engine::Node;
using engine::NodeId;
using engine::Projection;
using manifests::Variant;

// What a worker needs beyond the tensors it holds: buffers, the tokenizer, the program.
constexpr std::uint64_t kWorkerBytes = 96u << 20;
// What another file of the same source adds: slabs that are encoded and not yet written.
constexpr std::uint64_t kFurtherFileBytes = 32u << 20;

Projection facets(std::vector<std::string> names) {
  return {.kind = Projection::Kind::kFacets, .facets = std::move(names)};
}

std::vector<Override> overrides_of(const Variant& variant) {
  std::vector<Override> overrides;
  for (const manifests::RecipeRule& rule : variant.rules) {
    Override override{.match = rule.match, .layers = {}, .type = rule.type};
    for (const manifests::LayerRange& range : rule.layers)
      override.layers.emplace_back(range.first, range.last);
    overrides.push_back(std::move(override));
  }
  return overrides;
}

Json overrides_json(const std::vector<Override>& overrides) {
  Json list = Json::array();
  for (const Override& override : overrides) {
    Json layers = Json::array();
    for (const auto& [first, last] : override.layers) {
      Json range = Json::array();
      range.push_back(first);
      range.push_back(last);
      layers.push_back(std::move(range));
    }
    list.push_back(Json::object({{"match", override.match},
                                 {"layers", std::move(layers)},
                                 {"type", dtype_name(override.type)}}));
  }
  return list;
}

std::uint64_t values_of(const TensorSpec& tensor) {
  std::uint64_t count = 1;
  for (const std::uint64_t n : tensor.shape) count *= n;
  return count;
}

// Encoders of every type that occurs, output size, and what fell back.
struct TypePlan {
  std::set<DType> types;
  std::uint64_t bytes = 0;
  bool has_scales = false;
  std::vector<std::string> notes;
};

//   imatrix  null: none
TypePlan plan_types(const LoweringModel& model, const Variant& variant,
                    const std::vector<Override>& overrides, const formats::Imatrix* imatrix) {
  const SourceModel& source = model.source;
  const Recipe* const recipe = find_recipe(variant.recipe);
  check(recipe != nullptr, "every recipe that a manifest may name is in the table");
  const RecipeOptions options{.overrides = overrides, .has_importance = imatrix != nullptr};
  const auto choices = choose_types(*recipe, options, source.tensors, source.network);
  require_importance(*recipe, options, source.tensors, choices);
  check_stored_types(source.weights, choices, model.model.source.may_requantize);
  TypePlan plan;
  if (imatrix != nullptr)
    for (const std::string& note :
         check_importance(*imatrix, model.model.imatrix->text, source.weights, choices))
      plan.notes.push_back(fmt::format("{}: {}", variant.name, note));
  const auto scaled = scaled_tensors(source.weights, choices, source.network.architecture);
  for (std::size_t i = 0; i < scaled.size(); ++i) {
    if (!scaled[i]) continue;
    plan.has_scales = true;
    plan.bytes += matrices_of(source.weights[i]) * sizeof(float);
  }
  std::map<std::pair<DType, DType>, std::size_t> fallbacks;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (kernels::find_codec(choices[i].type) != nullptr) plan.types.insert(choices[i].type);
    const std::uint64_t row = source.tensors[i].shape.front();
    plan.bytes +=
        row_bytes(choices[i].type, row).value_or(0) * (values_of(source.tensors[i]) / row);
    if (choices[i].instead_of) ++fallbacks[{*choices[i].instead_of, choices[i].type}];
  }
  for (const auto& [types, count] : fallbacks)
    plan.notes.push_back(fmt::format(
        "{}: {} of {} tensors become {}, since their rows do not hold whole blocks of {}",
        variant.name, count, choices.size(), dtype_name(types.second), dtype_name(types.first)));
  return plan;
}

// What files looked like when they were imported: readers compare before and after.
Json stat_list(const std::vector<fs::path>& paths, FileSystem& files) {
  Json list = Json::array();
  for (const fs::path& path : paths) {
    const auto stat = files.stat(path);
    list.push_back(Json::object({{"path", path.string()},
                                 {"size", stat ? stat->size_bytes : 0},
                                 {"mtime_ns", stat ? stat->mtime_ns : 0}}));
  }
  return list;
}

Node quantize_node(Lowering& lowering, LoweringModel& model, const Variant& variant,
                   VariantTargets& targets) {
  const SourceModel& source = model.source;
  const auto overrides = overrides_of(variant);
  const formats::Imatrix* const imatrix =
      variant.uses_imatrix ? &lowering.imatrix(model.model.imatrix->path) : nullptr;
  const TypePlan plan = plan_types(model, variant, overrides, imatrix);
  targets.notes = plan.notes;
  Node node;
  node.rule = quantize_traits().name;
  node.params =
      Json::object({{"recipe", variant.recipe},
                    {"overrides", overrides_json(overrides)},
                    {"effort", variant.effort == manifests::Effort::kBest ? "best" : "default"}});
  // A GGUF says itself what it is called, whatever the file's name.
  if (!source.is_gguf) node.params["name"] = source.name;
  std::vector<fs::path> read = source.paths;
  if (imatrix != nullptr) read.push_back(model.model.imatrix->path);
  node.context = Json::object({{"source", source.path.string()},
                               {"stats", stat_list(read, lowering.files)},
                               {"requantize", model.model.source.may_requantize}});
  node.fields = {{"recipes", std::string(kRecipeTablesVersion)},
                 {"conversion", std::string(kConversionVersion)}};
  for (const DType type : plan.types)
    node.fields.push_back({fmt::format("encoder.{}", dtype_name(type)),
                           std::to_string(kernels::find_codec(type)->encoder_version)});
  if (plan.has_scales) node.fields.push_back({"scales", std::string(kTensorScalesVersion)});
  std::vector<std::string> parts{"weights", "config", "tokenizer"};
  if (!model.model.chat_template) parts.emplace_back("template");
  node.inputs.push_back(
      {.label = "source", .from = model.targets.source, .projection = facets(std::move(parts))});
  if (model.model.chat_template)
    node.inputs.push_back(
        {.label = "template",
         .from = lowering.file_node(model.model.chat_template->path, "chat_template.jinja")});
  if (imatrix != nullptr) {
    const fs::path& path = model.model.imatrix->path;
    // The file says it.
    node.params["imatrix"] = path.filename().string();
    node.inputs.push_back({.label = "imatrix", .from = lowering.file_node(path, "imatrix")});
  }
  node.resources = {.threads = lowering.options.threads,
                    .memory_bytes = kWorkerBytes + 3 * source.largest_tensor_bytes,
                    .memory_together_bytes = kFurtherFileBytes,
                    .scratch_bytes = plan.bytes};
  // One pass over one source, whatever models call it theirs.
  node.batch = "quantize " + source.path.string();
  node.piece_scope = source.piece_scope;
  node.expected_seconds = 0.05 + static_cast<double>(source.weight_bytes) / 200e6;
  return node;
}

// Longer parts of a path name no file (NAME_MAX of Linux): such an argument is a script or a text.
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxArgumentBytes = 1024;

bool may_name_file(std::string_view argument, bool is_program) {
  if (argument.empty() || argument.size() > kMaxArgumentBytes) return false;
  if (argument.find('{') != std::string_view::npos) return false;
  for (const fs::path& part : fs::path(argument))
    if (part.native().size() > kMaxNameBytes) return false;
  if (is_program) return argument.find('/') != std::string_view::npos;
  return !argument.starts_with('/') && !argument.starts_with('-') &&
         argument.find('\n') == std::string_view::npos;
}

// The tool's own files as inputs by content: the program, where it is named with its folder, and
// arguments that are files beside the manifest (a script). An edit of one makes the variant anew.
void add_tool_files(Lowering& lowering, const manifests::Command& command, Node& node) {
  for (std::size_t i = 0; i < command.run.size(); ++i) {
    const std::string& argument = command.run[i];
    const bool is_program = i == 0;
    if (!may_name_file(argument, is_program)) continue;
    const fs::path path = (command.directory / argument).lexically_normal();
    const bool is_declared =
        std::any_of(command.inputs.begin(), command.inputs.end(),
                    [&](const manifests::PathValue& input) { return input.path == path; });
    if (is_declared) continue;
    const auto stat = lowering.files.stat(path);
    if (stat && stat->kind == FileStat::Kind::kRegular)
      node.inputs.push_back(
          {.label = is_program ? std::string("tool.program") : fmt::format("tool.file.{}", i),
           .from = lowering.file_node(path, "file")});
    else
      // It may become one.
      lowering.witnesses.push_back(lowering.digests.observe(path));
  }
}

Json strings(const std::vector<std::string>& values) {
  Json list = Json::array();
  for (const std::string& value : values) list.push_back(value);
  return list;
}

Node command_node(Lowering& lowering, LoweringModel& model, const Variant& variant,
                  VariantTargets& targets) {
  const manifests::Command& command = *variant.command;
  if (command.tool.empty() && command.run.front().find('/') == std::string::npos)
    targets.notes.push_back(fmt::format(
        "{}: which version of \"{}\" runs is not known; with tool: NAME@VERSION another one makes "
        "the variant anew",
        variant.name, command.run.front()));
  Json environment = Json::object();
  for (const auto& [name, value] : command.environment) environment[name] = value;
  Node node;
  node.rule = command_traits().name;
  node.params = Json::object({{"run", strings(command.run)},
                              {"outputs", strings(command.outputs)},
                              {"environment", std::move(environment)},
                              {"tool", command.tool}});
  node.context = Json::object(
      {{"source", model.source.path.string()}, {"directory", command.directory.string()}});
  node.inputs.push_back({.label = "source",
                         .from = model.targets.source,
                         .projection = facets({"weights", "config", "tokenizer", "template"})});
  for (const manifests::PathValue& input : command.inputs)
    node.inputs.push_back(
        {.label = "file." + input.text, .from = lowering.file_node(input.path, "file")});
  add_tool_files(lowering, command, node);
  node.resources = {.threads = std::max(1u, command.resources.threads),
                    .memory_bytes = command.resources.memory_bytes,
                    .scratch_bytes = command.resources.scratch_bytes,
                    .time_limit = std::chrono::seconds(command.resources.time_limit_seconds)};
  return node;
}

// Whether each rule of the recipe takes a tensor; complains of those that take none.
bool check_rules(Lowering& lowering, const LoweringModel& model, const Variant& variant) {
  const std::vector<Override> overrides = overrides_of(variant);
  bool all_match = true;
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    try {
      check_override(overrides[i], model.source.tensors, model.source.network);
    } catch (const Error& error) {
      lowering.complain(variant.rules[i].at, error.message());
      all_match = false;
    }
  }
  return all_match;
}

bool is_measurable(const Variant& variant) {
  return variant.is_gguf_file;
}

Node quality_node(Lowering& lowering, const LoweringModel& model, std::string_view activations) {
  Node node;
  node.rule = quality_traits().name;
  Json texts = Json::array();
  for (const manifests::PerplexityText& text : model.model.benchmark.texts) {
    texts.push_back(
        Json::object({{"name", text.name}, {"context", text.context}, {"chunks", text.chunks}}));
    node.inputs.push_back(
        {.label = "text." + text.name, .from = lowering.file_node(text.text.path, "text")});
  }
  node.params = Json::object({{"activations", activations}, {"texts", std::move(texts)}});
  node.context = Json::object();
  node.fields = {{"numerics", std::string(kernels::kNumericsVersion)}};
  node.resources = {.threads = lowering.options.threads,
                    .memory_bytes = kWorkerBytes + model.source.weight_bytes};
  node.batch = "quality " + model.model.name;
  node.expected_seconds = 1 + static_cast<double>(model.source.weight_bytes) / 1e6;
  return node;
}

Input model_input(NodeId made) {
  return {.label = "model",
          .from = made,
          .projection = facets({"tensors", "hyperparameters", "tokenizer"})};
}

NodeId lower_quality(Lowering& lowering, LoweringModel& model, NodeId made,
                     const std::string& variant) {
  const bool packed = model.model.benchmark.activations == manifests::Activations::kPacked;
  Node node = quality_node(lowering, model, packed ? "packed" : "f32");
  node.target = fmt::format("{}:{}:quality", model.model.name, variant);
  node.inputs.insert(node.inputs.begin(), model_input(made));
  return lowering.graph.add(std::move(node));
}

NodeId lower_speed(Lowering& lowering, LoweringModel& model, NodeId made,
                   const std::string& variant) {
  const manifests::Throughput& test = *model.model.benchmark.throughput;
  const Machine& machine = lowering.options.machine;
  constexpr std::uint64_t kGiB = 1u << 30;
  Node node;
  node.target = fmt::format("{}:{}:speed", model.model.name, variant);
  node.rule = speed_traits().name;
  node.params =
      Json::object({{"prompt", test.prompt}, {"generate", test.generate}, {"repeat", test.repeat}});
  node.context = Json::object();
  node.fields = {{"machine.cpu", machine.cpu_model},
                 {"machine.vector_units", machine.vector_units},
                 {"machine.cores", std::to_string(machine.cores)},
                 {"machine.memory_gib", std::to_string((machine.memory_bytes + kGiB / 2) / kGiB)},
                 {"threads", std::to_string(lowering.options.threads)},
                 {"runtime", std::string(kToolVersion)}};
  node.inputs = {model_input(made)};
  node.resources = {.threads = lowering.options.threads,
                    .memory_bytes = kWorkerBytes + model.source.weight_bytes,
                    .whole_machine = true};
  node.expected_seconds = 1;
  return lowering.graph.add(std::move(node));
}

}  // namespace

void lower_source_quality(Lowering& lowering, LoweringModel& model) {
  if (model.model.benchmark.texts.empty()) return;
  // The source itself is evaluated without rounding its activations: what variants are compared
  // with.
  Node node = quality_node(lowering, model, "f32");
  node.target = model.model.name + ":source:quality";
  node.context["source"] = model.source.path.string();
  node.inputs.insert(node.inputs.begin(),
                     Input{.label = "model",
                           .from = model.targets.source,
                           .projection = facets({"weights", "config", "tokenizer"})});
  model.targets.source_quality = lowering.graph.add(std::move(node));
}

void lower_variant(Lowering& lowering, LoweringModel& model, const Variant& variant) {
  if (!check_rules(lowering, model, variant)) return;
  VariantTargets targets;
  targets.name = variant.name;
  Node node = variant.method == manifests::Method::kGguf
                  ? quantize_node(lowering, model, variant, targets)
                  : command_node(lowering, model, variant, targets);
  node.target = model.model.name + ":" + variant.name;
  const manifests::PublishedVariant place = placed_variant(model, variant);
  const std::string folder = place.folder.empty() ? "" : place.folder + "/";
  if (!place.file.empty())
    node.exports = {
        {std::string(engine::kOnlyFile), export_path(lowering, model.model, folder + place.file)}};
  else
    node.exports = {
        {std::string(engine::kAllFiles),
         export_path(lowering, model.model, folder.empty() ? variant.name : place.folder)}};
  targets.made = lowering.graph.add(std::move(node));
  if (is_measurable(variant)) {
    if (!model.model.benchmark.texts.empty())
      targets.quality = lower_quality(lowering, model, targets.made, variant.name);
    if (model.model.benchmark.throughput)
      targets.speed = lower_speed(lowering, model, targets.made, variant.name);
  }
  model.targets.variants.push_back(std::move(targets));
}

}  // namespace qbuild::rules
