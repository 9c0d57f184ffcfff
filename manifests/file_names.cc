#include "manifests/file_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/check.h"
#include "base/shown.h"
#include "manifests/variables.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {
namespace {

// In this order the first that fits wins, as in the Hub's expression. Source:
// GGMLFileQuantizationType of
// @huggingface/tasks (2026-10).
constexpr std::array<std::string_view, 47> kLabels{
    "F32",      "F16",     "Q4_0",    "Q4_1",      "Q4_1_SOME_F16", "Q4_2",     "Q4_3",
    "Q8_0",     "Q5_0",    "Q5_1",    "Q2_K",      "Q3_K_S",        "Q3_K_M",   "Q3_K_L",
    "Q4_K_S",   "Q4_K_M",  "Q5_K_S",  "Q5_K_M",    "Q6_K",          "IQ2_XXS",  "IQ2_XS",
    "Q2_K_S",   "IQ3_XS",  "IQ3_XXS", "IQ1_S",     "IQ4_NL",        "IQ3_S",    "IQ3_M",
    "IQ2_S",    "IQ2_M",   "IQ4_XS",  "IQ1_M",     "BF16",          "Q4_0_4_4", "Q4_0_4_8",
    "Q4_0_8_8", "TQ1_0",   "TQ2_0",   "MXFP4_MOE", "NVFP4",         "Q1_0",     "Q2_K_XL",
    "Q3_K_XL",  "Q4_K_XL", "Q5_K_XL", "Q6_K_XL",   "Q8_K_XL"};

constexpr std::string_view kEnding = ".gguf";
constexpr std::size_t kMaxFileNameBytes =
    200;  // below the 255 of disks, with room for temporary endings

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

// The label that begins exactly at `at`, or "".
std::string_view label_at(std::string_view name, std::size_t at) {
  constexpr std::string_view kPrefix = "UD-";
  std::size_t end = at;
  if (name.substr(end).starts_with(kPrefix)) end += kPrefix.size();
  const std::string_view rest = name.substr(end);
  // Two letters tell nearly all apart, and a load has many names.
  if (rest.size() < 2) return {};
  const auto label = std::find_if(kLabels.begin(), kLabels.end(), [&](std::string_view known) {
    return rest[0] == known[0] && rest[1] == known[1] && rest.starts_with(known);
  });
  if (label == kLabels.end()) return {};
  end += label->size();
  // "_XL", "_IMAT": letters only.
  std::size_t letters = end + 1;
  while (letters < name.size() && name[letters] >= 'A' && name[letters] <= 'Z') ++letters;
  if (end < name.size() && name[end] == '_' && letters > end + 1) end = letters;
  return name.substr(at, end - at);
}

struct Taken {
  std::string file;
  Place at;
};

struct Repository {
  Place at;
  std::string model;
  std::map<std::string, Taken> labels;
  std::map<std::string, Taken> paths;  // folded
};

class NameCheck {
 public:
  explicit NameCheck(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void model(const Model& model) {
    const Publish& publish = *model.publish;
    check(publish.variants.size() == model.variants.size(), "every variant has its place");
    for (std::size_t i = 0; i < publish.variants.size(); ++i) {
      const PublishedVariant& placed = publish.variants[i];
      const Variant* const variant = &model.variants[i];
      Repository* const repository = claim(model, placed);
      if (repository == nullptr) return;
      if (!variant->is_gguf_file && publish.layout == Layout::kFlat)
        diagnostics_.add(
            variant->at,
            fmt::format("the variant {} is a folder of files, which the layout \"flat\" "
                        "cannot hold; publish with \"folders\" or \"per-variant\"",
                        quote(variant->name)));
      else if (variant->is_gguf_file)
        file(placed, variant->at, *repository);
      else
        path(placed.folder, variant->at, *repository);
    }
  }

 private:
  // Null pointer: another model has it.
  Repository* claim(const Model& model, const PublishedVariant& placed) {
    const HubPlace& hub = model.publish->hub;
    const std::string key =
        (hub.is_url ? hub.text : hub.path.string()) + "\n" + folded(placed.repo.text);
    Repository& repository = repositories_[key];
    if (repository.model.empty()) {
      repository.model = model.name;
      repository.at = placed.repo.at;
    }
    const bool is_own = repository.model == model.name;
    if (!is_own)
      diagnostics_.add(placed.repo.at,
                       fmt::format("the repository {} is filled by the model {} already; give the "
                                   "model {} one of its own",
                                   placed.repo.text, quote(repository.model), quote(model.name)));
    return is_own ? &repository : nullptr;
  }

  void file(const PublishedVariant& placed, const Place& at, Repository& repository) {
    const std::string whole =
        placed.folder.empty() ? placed.file : placed.folder + "/" + placed.file;
    if (!path(whole, at, repository)) return;
    const auto label = quant_label(placed.file);
    if (!label) {
      diagnostics_.add(
          at, fmt::format("the file name {} has no quant label that the Hub and llama.cpp "
                          "would find, such as Q4_K_M before the ending; change the variant's "
                          "name or \"publish.file\"",
                          quote(placed.file)));
      return;
    }
    const auto [first, is_new] = repository.labels.emplace(*label, Taken{placed.file, at});
    if (!is_new)
      diagnostics_.add(at, fmt::format("the file names {} and {} (at {}) have one quant label, {}: "
                                       "users could not choose between them",
                                       quote(placed.file), quote(first->second.file),
                                       diagnostics_.place_text(first->second.at), *label));
  }

  bool path(const std::string& name, const Place& at, Repository& repository) {
    const std::string key = folded(name);
    if (key == "readme.md" || key == "qbuild.json") {
      diagnostics_.add(
          at, fmt::format("{} is the name of a file that every repository gets", quote(name)));
      return false;
    }
    const auto [first, is_new] = repository.paths.emplace(key, Taken{name, at});
    if (!is_new)
      diagnostics_.add(at, fmt::format("{} and {} (at {}) are one name where case is ignored; "
                                       "\"publish.file\" needs {{variant}}",
                                       quote(name), quote(first->second.file),
                                       diagnostics_.place_text(first->second.at)));
    return is_new;
  }

  Diagnostics& diagnostics_;
  std::map<std::string, Repository> repositories_;  // by hub and folded name
};

bool is_repo_part(std::string_view part) {
  if (part.empty() || part.size() > 96) return false;
  if (part.find("--") != std::string_view::npos || part.find("..") != std::string_view::npos)
    return false;
  const auto is_edge = [](char c) { return c == '-' || c == '.'; };
  if (is_edge(part.front()) || is_edge(part.back())) return false;
  return std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace

std::optional<std::string> quant_label(std::string_view file_name) {
  if (file_name.ends_with(kEnding)) file_name.remove_suffix(kEnding.size());
  const std::string name = upper(file_name);
  std::string_view last;
  std::size_t last_end = 0;
  for (std::size_t at = 0; at < name.size();) {
    const std::string_view label = label_at(name, at);
    if (label.empty()) {
      ++at;
      continue;
    }
    last = label;
    at += label.size();
    last_end = at;
  }
  if (last.empty()) return std::nullopt;
  const bool is_found = last_end == name.size() || name[last_end] == '-' || name[last_end] == '.';
  if (!is_found) return std::nullopt;
  return std::string(last);
}

void check_file_names(const std::vector<Model>& models, Diagnostics& diagnostics) {
  NameCheck names(diagnostics);
  for (const Model& model : models)
    if (model.publish && !diagnostics.is_full()) names.model(model);
}

std::optional<std::string> file_name_problem(std::string_view name) {
  if (name.size() > kMaxFileNameBytes)
    return fmt::format("it is longer than {} bytes", kMaxFileNameBytes);
  if (name.starts_with('.') || name.starts_with(' ')) return "it begins with a dot or a space";
  if (name.find_first_of("/\\") != std::string_view::npos)
    return "folders come from the layout; it may not contain a slash";
  if (!shows_all(name)) return "it contains a control character";
  return std::nullopt;
}

std::optional<std::string> repo_problem(std::string_view repo) {
  const auto slash = repo.find('/');
  if (slash == std::string_view::npos || repo.find('/', slash + 1) != std::string_view::npos)
    return R"(it must be "owner/name")";
  const std::string_view name = repo.substr(slash + 1);
  if (!is_repo_part(repo.substr(0, slash)) || !is_repo_part(name) || name.ends_with(".git"))
    return "owner and name have 1 to 96 letters, digits, \"_\", \"-\" and \".\", do not begin or "
           "end "
           "with \"-\" or \".\", and contain no \"--\" or \"..\"";
  return std::nullopt;
}

}  // namespace qbuild::manifests
