#pragma once
// From a manifest to a build graph: the only place where both are seen. Sources are imported on the
// way, so that the graph is complete before anything runs.
//
// Targets of a model M with a variant V:
//   M:source           the checkpoint (a source)
//   M:source:quality   its perplexity
//   M:V                the variant's file or files (quantize, command)
//   M:V:quality, M:V:speed
//   M:V:gate           the gates (a check); held, it carries the form that is published, if one is
//   M:ready            held when every variant is and none is published (a check)
//   M:license          (a check)
//   M:card, M:publish; in the layout per-variant M:V:card, M:V:publish
//   file:PATH          a text, a template, a command's input (a source)

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/machine.h"
#include "engine/graph.h"
#include "engine/stat_table.h"
#include "manifests/manifest.h"

namespace qbuild::rules {

struct LowerOptions {
  fs::path out;          // where results appear
  unsigned threads = 1;  // of a heavy action
  Machine machine;
  // When commits are said to be made, in seconds since 1970 (SOURCE_DATE_EPOCH); nothing: now.
  std::optional<std::int64_t> source_date;
};

struct VariantTargets {
  std::string name;
  engine::NodeId made;
  std::optional<engine::NodeId> quality;
  std::optional<engine::NodeId> speed;
  engine::NodeId gate;
  std::vector<std::string> notes;  // fallbacks of the recipe, for `check` and `plan`
};

struct PublishTargets {
  std::string repo;
  std::string hub;    // as the manifest spells it
  fs::path hub_path;  // of a folder
  engine::NodeId card;
  engine::NodeId publish;
};

struct ModelTargets {
  std::string name;
  engine::NodeId source;
  std::optional<engine::NodeId> source_quality;
  std::vector<VariantTargets> variants;
  std::vector<PublishTargets> repositories;
};

struct Lowered {
  engine::Graph graph;  // finished
  std::vector<ModelTargets> models;
  // Files and folders beyond the graph's sources whose stat says that lowering would give the same
  // again; looked at before they were read.
  std::vector<engine::Witness> witnesses;
};

// Throws Error (kInvalidInput) with everything that is wrong, a line each: "FILE:LINE:COLUMN: ...".
[[nodiscard]] Lowered lower(const manifests::Manifest& manifest, FileSystem& files, Clock& clock,
                            engine::StatTable& digests, const LowerOptions& options);

// The goals of a command: without patterns all targets (publishing only if asked for); else those
// that a pattern names. "bard" stands for everything of the model, "*:benchmark" for quality and
// speed. Throws Error
// (kInvalidInput) for a pattern that matches nothing, with the nearest target, and, with kNo, for
// one that matches publications alone.
enum class WithPublish : std::uint8_t {
  kNo,
  kYes,         // those that a pattern names
  kOfVariants,  // and those of the repositories that a named variant lies in: for `publish`
};
[[nodiscard]] std::vector<engine::NodeId> select_goals(const Lowered& lowered,
                                                       const std::vector<std::string>& patterns,
                                                       WithPublish with_publish);

}  // namespace qbuild::rules
