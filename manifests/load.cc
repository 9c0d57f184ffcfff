#include "manifests/load.h"

#include <fmt/core.h>

#include <map>

#include "base/check.h"
#include "base/error.h"
#include "manifests/decode.h"
#include "manifests/existence.h"
#include "manifests/file_names.h"
#include "manifests/include.h"
#include "manifests/limits.h"
#include "manifests/matrix.h"
#include "manifests/source_name.h"

namespace qbuild::manifests {
namespace {

// Reads the models of one merged file into a list that several files share.
class ModelReader {
 public:
  ModelReader(LoadState& state, std::vector<Model>& models)
      : state_(state), diagnostics_(state.diagnostics), models_(models) {}

  void read(const YamlNode& root) {
    Scope scope(state_);
    SetTable sets;
    const YamlNode* const declared_sets = root.find("sets");
    if (declared_sets != nullptr && declared_sets->is_mapping()) {
      if (declared_sets->members.size() > kMaxSets) {
        diagnostics_.add(declared_sets->at, fmt::format("more than {} sets", kMaxSets));
        return;
      }
      sets = SetTable(*declared_sets);
      scope.sets = &sets;
      check_sets(*declared_sets, scope);
    }
    const YamlNode under = defaults(root);
    const YamlNode* const models = root.find("models");
    if (models == nullptr) {
      diagnostics_.add(root.at, "the manifest needs the key \"models\"");
      return;
    }
    for (const YamlNode& item : models->items)
      if (item.is_text()) listed(item, under, scope);
    for (const YamlMember& member : models->members)
      if (member.value.is_mapping()) declared(member, under, scope);
  }

 private:
  // What lies under every model.
  static YamlNode defaults(const YamlNode& root) {
    YamlNode under;
    under.kind = YamlNode::Kind::kMapping;
    if (const YamlNode* const node = root.find("defaults"); node != nullptr && node->is_mapping())
      under = *node;
    // What check_shape has refused there must not reach the models.
    std::erase_if(under.members, [](const YamlMember& member) {
      return find_key(Section::kDefaults, member.key) == nullptr;
    });
    const YamlNode* const licenses = root.find("licenses");
    if (licenses != nullptr && under.find("licenses") == nullptr)
      under.members.push_back({"licenses", licenses->at, *licenses});
    return under;
  }

  // "- ./checkpoints/run7" is a model run7, "- ./smol-F16.gguf" a model smol.
  void listed(const YamlNode& source, const YamlNode& under, const Scope& scope) {
    if (is_over()) return;
    const auto path = scope.resolved({source.text, source.at});
    if (!path) return;
    const bool is_address = source.text.find("://") != std::string::npos;
    TextValue name{source_name(path->path), source.at};
    if (!is_address && name_problem(name.text)) {
      diagnostics_.add(source.at,
                       fmt::format("no name follows from {}; declare the model in a mapping "
                                   "with a name of its own",
                                   quote(source.text)));
      return;
    }
    if (!charge(source.at, under)) return;
    YamlNode model = under;
    model.at = source.at;
    model.members.push_back({"source", source.at, source});
    add(name, model, scope);
  }

  void declared(const YamlMember& member, const YamlNode& under, Scope scope) {
    if (!charge(member.at, under) || !charge(member.at, member.value)) return;
    YamlNode model = overlay(under, member.value);
    YamlNode pattern;
    pattern.kind = YamlNode::Kind::kScalar;
    pattern.at = member.at;
    pattern.text = member.key;
    const YamlNode* const matrix = model.find("matrix");
    if (matrix == nullptr || !matrix->is_mapping()) {
      if (const auto name = scope.expanded(pattern, kMatrixVariables)) add(*name, model, scope);
      return;
    }
    const auto all = combinations(*matrix, diagnostics_);
    // It is large at times, and no combination looks at it again.
    std::erase_if(model.members, [](const YamlMember& one) { return one.key == "matrix"; });
    if (!all.empty() && !names_all(pattern, all.front())) return;
    for (const auto& one : all) {
      if (!charge(member.at, model)) return;
      scope.values.matrix = one;
      if (const auto name = scope.expanded(pattern, kMatrixVariables)) add(*name, model, scope);
    }
  }

  // Two combinations must not make one name.
  bool names_all(const YamlNode& pattern, const std::vector<MatrixValue>& combination) {
    for (const MatrixValue& one : combination) {
      const std::string spelled = "{" + one.variable + "}";
      if (pattern.text.find(spelled) != std::string::npos) continue;
      diagnostics_.add(pattern.at,
                       fmt::format("the name {} must contain every variable of its matrix; {} is "
                                   "missing",
                                   quote(pattern.text), spelled));
      return false;
    }
    return true;
  }

  void add(const TextValue& name, const YamlNode& model, const Scope& scope) {
    if (names_.size() >= kMaxModels)
      state_.budget.refuse(name.at,
                           fmt::format("more than {} models; take several manifests", kMaxModels));
    if (is_over() || !scope.check_name("a model", name)) return;
    const auto [first, is_new] = names_.emplace(folded(name.text), name.at);
    if (!is_new) {
      diagnostics_.add(
          name.at, fmt::format("the model {} stands twice; the first is at {}", quote(name.text),
                               diagnostics_.place_text(first->second)));
      return;
    }
    if (auto decoded = decode_model(name, model, scope)) models_.push_back(std::move(*decoded));
  }

  // Nothing that is made from here on is told or kept.
  [[nodiscard]] bool is_over() const { return diagnostics_.is_full() || state_.budget.is_spent(); }

  // Before a tree is copied, or looked at once more. False: it is too much.
  bool charge(const Place& at, const YamlNode& tree) {
    return !is_over() && state_.budget.work(at, weight(tree));
  }

  LoadState& state_;
  Diagnostics& diagnostics_;
  std::vector<Model>& models_;
  std::map<std::string, Place> names_;  // folded
};

}  // namespace

const Model* Manifest::find(std::string_view name) const {
  for (const Model& model : models)
    if (model.name == name) return &model;
  return nullptr;
}

LoadResult try_load(FileSystem& files, std::span<const fs::path> paths, FileChecks checks,
                    const BeforeRead& before_read) {
  check(!paths.empty(), "a load names at least one manifest");
  Diagnostics diagnostics;
  LoadResult result;
  IncludeReader reader(files, diagnostics, before_read);
  LoadState state(diagnostics);
  ModelReader models(state, result.manifest.models);
  for (const fs::path& path : paths) {
    const YamlNode* const root = reader.read(path);
    if (root == nullptr) continue;
    if (root->find("version") == nullptr)
      diagnostics.add(root->at,
                      "the manifest needs the key \"version\"; write \"version: 1\" first");
    models.read(*root);
  }
  // Of models that are too many, those that were still made prove nothing.
  if (!state.budget.is_spent()) {
    check_file_names(result.manifest.models, diagnostics);
    if (checks == FileChecks::kCheck) check_existence(files, result.manifest.models, diagnostics);
  }
  result.manifest.files = diagnostics.files();
  result.diagnostics = diagnostics.sorted();
  if (!result.diagnostics.empty()) result.manifest.models.clear();
  return result;
}

Manifest load(FileSystem& files, std::span<const fs::path> paths, FileChecks checks,
              const BeforeRead& before_read) {
  LoadResult result = try_load(files, paths, checks, before_read);
  if (!result.diagnostics.empty())
    throw Error(ErrorKind::kInvalidInput, format(std::span<const Diagnostic>(result.diagnostics)));
  return std::move(result.manifest);
}

}  // namespace qbuild::manifests
