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
  const std::string& file = manifest.files.at(at.file).name;
  problems.push_back(at.line == 0 ? fmt::format("{}: {}", file, message)
                                  : fmt::format("{}:{}:{}: {}", file, at.line, at.column, message));
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
  LoweringModel under_way{.model = model, .source = source, .targets = {}};
  ModelTargets& targets = under_way.targets;
  targets.name = model.name;
  targets.source = add_source(lowering, model, source);
  lower_source_quality(lowering, under_way);
  for (const manifests::Variant& variant : model.variants) {
    try {
      lower_variant(lowering, under_way, variant);
    } catch (const Error& error) {
      lowering.complain(variant.at, error.message());
    }
  }
  if (lowering.problems.empty()) lower_publish(lowering, under_way);
  all.push_back(std::move(targets));
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
                    .problems = {},
                    .witnesses = {}};
  Lowered lowered;
  std::map<fs::path, SourceModel> sources;  // several models may share one
  for (const manifests::Model& model : manifest.models) {
    try {
      auto found = sources.find(model.source.folder.path);
      if (found == sources.end()) {
        const fs::path& folder = model.source.folder.path;
        lowering.witnesses.push_back(digests.observe(folder));
        found = sources.emplace(folder, import_checkpoint(files, digests, folder)).first;
      }
      lower_model(lowering, model, found->second, lowered.models);
    } catch (const Error& error) {
      lowering.complain(model.source.folder.at, fmt::format("source: {}", error.message()));
    }
  }
  if (!lowering.problems.empty()) {
    std::string text;
    for (const std::string& problem : lowering.problems)
      text += (text.empty() ? "" : "\n") + problem;
    throw Error(ErrorKind::kInvalidInput, text);
  }
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

}  // namespace

std::vector<NodeId> select_goals(const Lowered& lowered, const std::vector<std::string>& patterns,
                                 WithPublish with_publish) {
  const engine::Graph& graph = lowered.graph;
  std::set<NodeId> goals;
  const auto wanted = [&](NodeId id) {
    return graph.node(id).kind != NodeKind::kSource &&
           (with_publish == WithPublish::kYes || !is_publish(graph, id));
  };
  for (std::uint32_t i = 0; i < graph.size(); ++i)
    if (patterns.empty() && wanted({i})) goals.insert({i});
  for (const std::string& pattern : patterns) {
    bool found = false;
    for (std::uint32_t i = 0; i < graph.size(); ++i) {
      if (!matches(pattern, graph.node({i}).target)) continue;
      found = true;
      if (wanted({i})) goals.insert({i});
    }
    if (found) continue;
    std::vector<std::string_view> known;
    for (const ModelTargets& model : lowered.models) known.push_back(model.name);
    for (const Node& node : graph.nodes())
      if (node.kind != NodeKind::kSource) known.push_back(node.target);
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("no target matches \"{}\"{}", pattern, did_you_mean(pattern, known)));
  }
  return {goals.begin(), goals.end()};
}

}  // namespace qbuild::rules
