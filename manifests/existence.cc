#include "manifests/existence.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "manifests/yaml_node.h"

namespace qbuild::manifests {
namespace {

class ExistenceCheck {
 public:
  ExistenceCheck(FileSystem& files, Diagnostics& diagnostics)
      : files_(files), diagnostics_(diagnostics) {}

  void require(const PathValue& path, FileStat::Kind kind, std::string_view what) {
    const auto [found, problem] = look(path.path);
    const bool wants_folder = kind == FileStat::Kind::kDirectory;
    if (!problem.empty())
      diagnostics_.add(path.at,
                       fmt::format("{} {} cannot be read: {}", what, quote(path.text), problem));
    else if (!found)
      diagnostics_.add(path.at, fmt::format("{} {} does not exist: there is no {}", what,
                                            quote(path.text), path.path.string()));
    else if (wants_folder && *found != kind)
      diagnostics_.add(path.at,
                       fmt::format("{} {} is a file; give the folder of the checkpoint, or "
                                   "a file that ends in .gguf",
                                   what, quote(path.text)));
    else if (!wants_folder && *found != kind)
      diagnostics_.add(
          path.at,
          fmt::format("{} {} is {}; give a file", what, quote(path.text),
                      *found == FileStat::Kind::kDirectory ? "a folder" : "a device or a pipe"));
  }

 private:
  struct Look {
    std::optional<FileStat::Kind> kind;  // nothing: there is no such file
    std::string problem;                 // why nobody knows, or empty
  };

  const Look& look(const fs::path& path) {
    const auto [known, is_new] = looks_.try_emplace(path);
    if (!is_new) return known->second;
    try {
      if (const auto stat = files_.stat(path)) known->second.kind = stat->kind;
    } catch (const Error& error) {
      if (!is_about_the_path(error)) throw;
      known->second.problem = error.message();
    }
    return known->second;
  }

  FileSystem& files_;
  Diagnostics& diagnostics_;
  std::map<fs::path, Look> looks_;  // many models name one text
};

}  // namespace

void check_existence(FileSystem& files, const std::vector<Model>& models,
                     Diagnostics& diagnostics) {
  ExistenceCheck existence(files, diagnostics);
  for (const Model& model : models) {
    existence.require(model.source.path,
                      model.source.is_gguf ? FileStat::Kind::kRegular : FileStat::Kind::kDirectory,
                      "the source");
    if (model.chat_template)
      existence.require(*model.chat_template, FileStat::Kind::kRegular, "the template");
    // Under defaults it may be a pattern that fits some models only.
    if (model.imatrix && std::any_of(model.variants.begin(), model.variants.end(),
                                     [](const Variant& one) { return one.uses_imatrix; }))
      existence.require(*model.imatrix, FileStat::Kind::kRegular, "the importance matrix");
    if (model.card_template)
      existence.require(*model.card_template, FileStat::Kind::kRegular, "the card's template");
    for (const PerplexityText& text : model.benchmark.texts)
      existence.require(text.text, FileStat::Kind::kRegular, "the text");
  }
}

}  // namespace qbuild::manifests
