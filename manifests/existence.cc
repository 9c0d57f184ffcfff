#include "manifests/existence.h"

#include <fmt/core.h>

#include <map>
#include <optional>

#include "manifests/yaml_node.h"

namespace qbuild::manifests {
namespace {

class ExistenceCheck {
 public:
  ExistenceCheck(FileSystem& files, Diagnostics& diagnostics)
      : files_(files), diagnostics_(diagnostics) {}

  void require(const PathValue& path, FileStat::Kind kind, std::string_view what) {
    const auto found = look(path.path);
    const bool wants_folder = kind == FileStat::Kind::kDirectory;
    if (!found)
      diagnostics_.add(path.at, fmt::format("{} {} does not exist: there is no {}", what,
                                            quote(path.text), path.path.string()));
    else if (wants_folder && *found != kind)
      diagnostics_.add(path.at, fmt::format("{} {} is a file; give the folder of the checkpoint",
                                            what, quote(path.text)));
    else if (!wants_folder && *found == FileStat::Kind::kDirectory)
      diagnostics_.add(path.at,
                       fmt::format("{} {} is a folder; give a file", what, quote(path.text)));
  }

 private:
  std::optional<FileStat::Kind> look(const fs::path& path) {
    const auto known = kinds_.find(path);
    if (known != kinds_.end()) return known->second;
    const auto stat = files_.stat(path);
    const std::optional<FileStat::Kind> kind =
        stat ? std::optional<FileStat::Kind>(stat->kind) : std::nullopt;
    kinds_.emplace(path, kind);
    return kind;
  }

  FileSystem& files_;
  Diagnostics& diagnostics_;
  std::map<fs::path, std::optional<FileStat::Kind>> kinds_;  // many models name one text
};

}  // namespace

void check_existence(FileSystem& files, const std::vector<Model>& models,
                     Diagnostics& diagnostics) {
  ExistenceCheck existence(files, diagnostics);
  for (const Model& model : models) {
    existence.require(model.source.folder, FileStat::Kind::kDirectory, "the source");
    if (model.chat_template)
      existence.require(*model.chat_template, FileStat::Kind::kRegular, "the template");
    if (model.card_template)
      existence.require(*model.card_template, FileStat::Kind::kRegular, "the card's template");
    for (const PerplexityText& text : model.benchmark.texts)
      existence.require(text.text, FileStat::Kind::kRegular, "the text");
  }
}

}  // namespace qbuild::manifests
