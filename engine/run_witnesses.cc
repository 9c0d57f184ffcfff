#include "engine/run_witnesses.h"

#include "base/check.h"
#include "base/error.h"
#include "cache/index.h"
#include "engine/decision.h"
#include "engine/project_records.h"

namespace qbuild::engine {
namespace {

class Collector {
 public:
  Collector(const Environment& environment, const ProjectFiles& project)
      : environment_(environment), project_(project) {}

  // False: something is not as it was.
  [[nodiscard]] bool add(const Node& node, const NodeReport& report) {
    if (node.kind == NodeKind::kSource) return add_source(node);
    if (node.kind != NodeKind::kAction || report.status != Status::kReady) return true;
    for (std::size_t i = 0; i < report.paths.size(); ++i) {
      if (report.paths[i].empty()) continue;
      if (!add_blob(report.paths[i], report.artifact.files.at(i).sha256)) return false;
    }
    for (const Export& output : resolved_exports(node, report.artifact)) {
      const cache::FileEntry* const file = report.artifact.find(output.name);
      check(file != nullptr, "an export that was made is a file of the artifact");
      if (!add_export(output.path, file->sha256)) return false;
    }
    const bool is_project = environment_.rules.traits(node.rule).caching == Caching::kProject;
    if (is_project) return add_project(node);
    const std::optional<Digest> key = Digest::from_hex(report.key_hex);
    check(key.has_value(), "a ready action has a key");
    return add_content(environment_.store.record_path(*key));
  }

  [[nodiscard]] std::vector<Witness> take() { return std::move(witnesses_); }

 private:
  [[nodiscard]] bool add_content(const fs::path& path) {
    witnesses_.push_back(observe(environment_.files, Witness::What::kContent, path));
    return witnesses_.back().stat.has_value();
  }

  // As the index knows it: looked at only now, a blob that somebody changed since it was decided on
  // would pass for a good one.
  [[nodiscard]] bool add_blob(const fs::path& path, const Digest& sha256) {
    if (!add_content(path)) return false;
    if (environment_.index == nullptr) return true;
    const std::optional<cache::BlobStamp> known = environment_.index->find_blob(sha256);
    return !known || *known == cache::blob_stamp(*witnesses_.back().stat);
  }

  // As it was when it was exported, for the same reason. Whether it is old enough to be believed
  // is asked when the snapshot is kept: by then all of them are looked at once more.
  [[nodiscard]] bool add_export(const fs::path& path, const Digest& sha256) {
    const std::optional<StatTable::Entry> known = environment_.stats.find(path);
    if (!known || known->sha256 != sha256) return false;
    witnesses_.push_back(
        {.what = Witness::What::kContent, .path = path, .stat = known->stat, .settled = true});
    return true;
  }

  [[nodiscard]] bool add_source(const Node& node) {
    for (std::size_t i = 0; i < node.paths.size(); ++i) {
      if (node.paths[i].empty()) continue;
      if (environment_.stats.digest_file(node.paths[i]) != node.artifact.files[i].sha256)
        return false;
      const std::optional<StatTable::Entry> entry = environment_.stats.find(node.paths[i]);
      check(entry.has_value(), "a hashed file is in the table");
      witnesses_.push_back({.what = Witness::What::kFile,
                            .path = node.paths[i],
                            .stat = entry->stat,
                            .settled = entry->settled});
    }
    return true;
  }

  [[nodiscard]] bool add_project(const Node& node) {
    if (!add_content(project_.record(node.target))) return false;
    const Rule* const rule = environment_.rules.find(node.rule);
    check(rule != nullptr, "a rule with project records is linked into the engine");
    // Looked at before the rule is asked, so that a change after its answer shows.
    for (const fs::path& path : rule->witnesses(node.params, node.context)) {
      witnesses_.push_back(environment_.stats.observe(path));
    }
    const std::optional<cache::Record> record =
        read_project_record(environment_.files, project_, node.target);
    return record && !why_outdated(environment_, node, *record);
  }

  const Environment& environment_;
  const ProjectFiles& project_;
  std::vector<Witness> witnesses_;
};

}  // namespace

std::optional<std::vector<Witness>> collect_witnesses(const Environment& environment,
                                                      const ProjectFiles& project,
                                                      const Graph& graph,
                                                      std::span<const NodeId> needed,
                                                      const RunReport& report) {
  Collector collector(environment, project);
  try {
    for (const NodeId id : needed) {
      if (!collector.add(graph.node(id), report.nodes.at(id))) return std::nullopt;
    }
  } catch (const Error&) {
    return std::nullopt;  // only a shortcut of the next run is lost
  }
  return collector.take();
}

}  // namespace qbuild::engine
