#pragma once
// What the parts of lowering share; inside this room.

#include <map>
#include <string>
#include <vector>

#include "formats/imatrix.h"
#include "rules/lower.h"
#include "rules/source.h"

namespace qbuild::rules {

// One run of lower().
struct Lowering {
  const manifests::Manifest& manifest;
  FileSystem& files;
  Clock& clock;
  engine::StatTable& digests;
  const LowerOptions& options;
  engine::Graph graph;
  std::map<fs::path, engine::NodeId> file_nodes;
  std::map<fs::path, formats::Imatrix> imatrices;
  std::vector<std::string> problems;  // "FILE:LINE:COLUMN: ..."
  std::vector<engine::Witness> witnesses;

  void complain(const manifests::Place& at, std::string_view message);
  // "FILE:LINE:COLUMN", or "FILE" for the file as a whole.
  [[nodiscard]] std::string place_text(const manifests::Place& at) const;
  // The source node of a single file, made at its first use. Its artifact's file is called `name`.
  engine::NodeId file_node(const fs::path& path, const std::string& name);
  // Opened at its first use.
  const formats::Imatrix& imatrix(const fs::path& path);
};

// A model under way.
struct LoweringModel {
  const manifests::Model& model;
  const SourceModel& source;
  ModelTargets targets;
};

// What a run would find out late, complained of now (lower_checks.cc): more tokens than the model
// has positions, texts that are none, gates on what nothing measures, a template that is wrong.
void check_model(Lowering& lowering, const LoweringModel& model);
// Variants with their measurements (lower_variant.cc).
void lower_source_quality(Lowering& lowering, LoweringModel& model);
void lower_variant(Lowering& lowering, LoweringModel& model, const manifests::Variant& variant);
// Checks, cards and publishing (lower_publish.cc), after all variants.
void lower_gate(Lowering& lowering, LoweringModel& model, VariantTargets& variant,
                const Json& published);
void lower_publish(Lowering& lowering, LoweringModel& model);

// "out/MODEL/..." for a path in a repository.
[[nodiscard]] fs::path export_path(const Lowering& lowering, const manifests::Model& model,
                                   std::string_view path);
// Where a variant lies: from `publish`, or the default file name beside it.
[[nodiscard]] manifests::PublishedVariant placed_variant(const LoweringModel& model,
                                                         const manifests::Variant& variant);

}  // namespace qbuild::rules
