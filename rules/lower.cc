#include "rules/lower.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/glob.h"
#include "base/nearest_word.h"
#include "rules/lowering.h"
#include "rules/publish.h"
#include "rules/published.h"

namespace qbuild::rules {

using engine::Node;
using engine::NodeId;
using engine::NodeKind;

void Lowering::complain(const manifests::Place& at, std::string_view message) {
  problems.push_back(fmt::format("{}: {}", place_text(at), message));
}

std::string Lowering::place_text(const manifests::Place& at) const {
  const std::string& file = manifest.files.at(at.file).name;
  return at.line == 0 ? file : fmt::format("{}:{}:{}", file, at.line, at.column);
}

NodeId Lowering::file_node(const fs::path& path, const std::string& name) {
  if (const auto found = file_nodes.find(path); found != file_nodes.end()) return found->second;
  const Digest sha256 = digests.digest_file(path);
  const auto stat = files.stat(path);
  Node node;
  node.kind = NodeKind::kSource;
  node.target = "file:" + path.string();
  node.artifact.files = {{name, sha256, stat ? stat->size_bytes : 0}};
  node.paths = {path};
  const NodeId id = graph.add(std::move(node));
  file_nodes.emplace(path, id);
  return id;
}

const formats::Imatrix& Lowering::imatrix(const fs::path& path) {
  if (const auto found = imatrices.find(path); found != imatrices.end()) return found->second;
  return imatrices.emplace(path, formats::Imatrix::open(files, path)).first->second;
}

fs::path export_path(const Lowering& lowering, const manifests::Model& model,
                     std::string_view path) {
  return lowering.options.out / model.name / fs::path(path);
}

manifests::PublishedVariant placed_variant(const LoweringModel& model,
                                           const manifests::Variant& variant) {
  if (model.model.publish)
    for (const manifests::PublishedVariant& place : model.model.publish->variants)
      if (place.variant == variant.name) return place;
  manifests::PublishedVariant place;
  place.variant = variant.name;
  if (variant.is_gguf_file)
    place.file = fmt::format("{}-{}.gguf", model.source.name, variant.name);
  else
    place.folder = variant.name;
  return place;
}

namespace {

NodeId add_source(Lowering& lowering, const manifests::Model& model, const SourceModel& source) {
  Node node;
  node.kind = NodeKind::kSource;
  node.target = model.name + ":source";
  node.artifact = source.artifact;
  node.paths = source.paths;
  return lowering.graph.add(std::move(node));
}

void lower_model(Lowering& lowering, const manifests::Model& model, const SourceModel& source,
                 std::vector<ModelTargets>& all) {
  const std::size_t problems_before = lowering.problems.size();
  LoweringModel under_way{.model = model, .source = source, .targets = {}};
  ModelTargets& targets = under_way.targets;
  targets.name = model.name;
  targets.source = add_source(lowering, model, source);
  check_model(lowering, under_way);
  try {
    if (lowering.problems.size() == problems_before) lower_source_quality(lowering, under_way);
  } catch (const Error& error) {
    lowering.complain(model.benchmark.texts.front().text.at, error.message());
    return;
  }
  for (const manifests::Variant& variant : model.variants) {
    try {
      lower_variant(lowering, under_way, variant);
    } catch (const Error& error) {
      lowering.complain(variant.at, error.message());
    }
  }
  if (lowering.problems.size() != problems_before) return;
  try {
    lower_publish(lowering, under_way);
  } catch (const Error& error) {
    lowering.complain(model.publish ? model.publish->hub.at : model.at, error.message());
  }
  all.push_back(std::move(targets));
}

// Null: it cannot be read, which is a problem. Several models may share one.
const SourceModel* source_of(Lowering& lowering, const manifests::Model& model,
                             std::map<fs::path, SourceModel>& sources) {
  const fs::path& path = model.source.path.path;
  if (const auto found = sources.find(path); found != sources.end()) return &found->second;
  try {
    // Files come and go in a folder; beside a file there may be a card some day.
    lowering.witnesses.push_back(
        lowering.digests.observe(model.source.is_gguf ? path.parent_path() / kCardName : path));
    auto source = import_source(lowering.files, lowering.digests, path);
    return &sources.emplace(path, std::move(source)).first->second;
  } catch (const Error& error) {
    lowering.complain(model.source.path.at, fmt::format("source: {}", error.message()));
    return nullptr;
  }
}

// A text may stand under defaults, where every model finds it wrong again.
std::string told_once(const std::vector<std::string>& problems) {
  std::set<std::string_view> told;
  std::string text;
  for (const std::string& problem : problems)
    if (told.insert(problem).second) text += (text.empty() ? "" : "\n") + problem;
  return text;
}

}  // namespace

Lowered lower(const manifests::Manifest& manifest, FileSystem& files, Clock& clock,
              engine::StatTable& digests, const LowerOptions& options) {
  Lowering lowering{.manifest = manifest,
                    .files = files,
                    .clock = clock,
                    .digests = digests,
                    .options = options,
                    .graph = {},
                    .file_nodes = {},
                    .imatrices = {},
                    .problems = {},
                    .witnesses = {}};
  Lowered lowered;
  std::map<fs::path, SourceModel> sources;
  for (const manifests::Model& model : manifest.models)
    if (const SourceModel* const source = source_of(lowering, model, sources))
      lower_model(lowering, model, *source, lowered.models);
  if (!lowering.problems.empty())
    throw Error(ErrorKind::kInvalidInput, told_once(lowering.problems));
  lowering.graph.finish();
  lowered.graph = std::move(lowering.graph);
  lowered.witnesses = std::move(lowering.witnesses);
  return lowered;
}

namespace {

bool is_publish(const engine::Graph& graph, NodeId id) {
  return graph.node(id).rule == "publish";
}

bool matches(std::string_view pattern, std::string_view target) {
  if (glob_match(pattern, target)) return true;
  // A model's or variant's name stands for everything below it.
  if (glob_match(std::string(pattern) + ":*", target) &&
      pattern.find(':') == std::string_view::npos)
    return true;
  constexpr std::string_view kBenchmark = ":benchmark";
  if (!pattern.ends_with(kBenchmark)) return false;
  const std::string_view owner = pattern.substr(0, pattern.size() - kBenchmark.size());
  for (const std::string_view kind : {":quality", ":speed"})
    if (target.ends_with(kind) && matches(owner, target.substr(0, target.size() - kind.size())))
      return true;
  return false;
}

[[noreturn]] void refuse_pattern(const Lowered& lowered, std::string_view pattern) {
  std::vector<std::string_view> known;
  for (const ModelTargets& model : lowered.models) known.push_back(model.name);
  for (const Node& node : lowered.graph.nodes())
    if (node.kind != NodeKind::kSource) known.push_back(node.target);
  const std::string near = did_you_mean(pattern, known);
  throw Error(ErrorKind::kInvalidInput,
              fmt::format("no target matches \"{}\"{}", pattern,
                          near.empty() ? "; qbuild plan lists them" : near));
}

// What uploads the variant, if `made` is one that is published.
std::vector<NodeId> publications_of(const engine::Graph& graph, NodeId made) {
  std::vector<NodeId> found;
  for (const NodeId consumer : graph.consumers(made)) {
    const auto& inputs = graph.node(consumer).inputs;
    const bool takes_it = std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) {
      return input.from == made && input.label.starts_with("model.");
    });
    if (takes_it && is_publish(graph, consumer)) found.push_back(consumer);
  }
  return found;
}

std::vector<NodeId> matching(const Lowered& lowered, const std::string& pattern) {
  std::vector<NodeId> ids;
  for (std::uint32_t i = 0; i < lowered.graph.size(); ++i)
    if (matches(pattern, lowered.graph.node({i}).target)) ids.push_back({i});
  if (ids.empty()) refuse_pattern(lowered, pattern);
  return ids;
}

}  // namespace

std::vector<NodeId> select_goals(const Lowered& lowered, const std::vector<std::string>& patterns,
                                 WithPublish with_publish) {
  const engine::Graph& graph = lowered.graph;
  const bool may_publish = with_publish != WithPublish::kNo;
  std::set<NodeId> goals;
  const auto want = [&](NodeId id) {
    if (graph.node(id).kind == NodeKind::kSource) return;
    if (may_publish || !is_publish(graph, id)) goals.insert(id);
  };
  for (std::uint32_t i = 0; patterns.empty() && i < graph.size(); ++i) want({i});
  for (const std::string& pattern : patterns) {
    const std::vector<NodeId> named = matching(lowered, pattern);
    const bool only_publishes =
        std::all_of(named.begin(), named.end(), [&](NodeId id) { return is_publish(graph, id); });
    if (!may_publish && only_publishes)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("\"{}\" is done by: qbuild publish {}", pattern, pattern));
    for (const NodeId id : named) {
      want(id);
      if (with_publish == WithPublish::kOfVariants)
        for (const NodeId publication : publications_of(graph, id)) goals.insert(publication);
    }
  }
  return {goals.begin(), goals.end()};
}

}  // namespace qbuild::rules
