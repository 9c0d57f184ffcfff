#include "rules/source.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "formats/checkpoint.h"
#include "formats/config.h"
#include "formats/json_file.h"
#include "formats/model_card.h"
#include "formats/safetensors.h"
#include "formats/tokenizer_json.h"
#include "models/checkpoint_source.h"
#include "rules/checkpoint_weights.h"
#include "rules/tensor_pieces.h"

namespace qbuild::rules {
namespace {

constexpr std::string_view kWeightsIndex = "model.safetensors.index.json";
constexpr std::uint64_t kMaxReadmeBytes = 4u << 20;

Json sorted_copy(const Json& json) {
  if (json.is_array()) {
    Json copy = Json::array();
    for (const Json& item : json.as_array()) copy.push_back(sorted_copy(item));
    return copy;
  }
  if (!json.is_object()) return json;
  Json::Object members;
  for (const auto& [key, value] : json.as_object()) members.emplace_back(key, sorted_copy(value));
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return Json(std::move(members));
}

void remove_member(Json& json, std::string_view key) {
  if (json.is_object())
    std::erase_if(json.as_object(), [&](const auto& member) { return member.first == key; });
}

bool has_same_tensors(const formats::Checkpoint& a, const formats::Checkpoint& b) {
  return a.files() == b.files() &&
         std::equal(a.tensors().begin(), a.tensors().end(), b.tensors().begin(), b.tensors().end(),
                    [](const auto& one, const auto& other) {
                      return one.name == other.name && one.dtype == other.dtype &&
                             one.shape == other.shape && one.file == other.file &&
                             one.offset == other.offset;
                    });
}

class Importer {
 public:
  Importer(FileSystem& files, engine::StatTable& digests, const fs::path& folder)
      : files_(files), digests_(digests), folder_(folder) {}

  SourceModel import() {
    source_.path = folder_;
    source_.name = folder_.filename().string();
    const formats::HashedJson config_file = read_json("config.json");
    const formats::ModelConfig config =
        formats::parse_config(config_file.value, (folder_ / "config.json").string());
    const formats::Checkpoint checkpoint = formats::Checkpoint::open(files_, folder_);
    const formats::HashedJson tokenizer = read_json("tokenizer.json");
    with_context((folder_ / "tokenizer.json").string(),
                 [&] { (void)formats::parse_tokenizer_json(tokenizer.value); });
    read_tensors(config, checkpoint);
    add_files(checkpoint);
    add_config(config, config_file.sha256);
    add_tokenizer(tokenizer.sha256);
    add_readme();
    finish();
    return std::move(source_);
  }

 private:
  [[nodiscard]] formats::HashedJson read_json(std::string_view name) const {
    return formats::read_hashed_json(files_, folder_ / name);
  }

  // What was parsed must be what the artifact's digest names: else a store would hold results of
  // one version under the name of another.
  void require_same(std::string_view name, bool is_same) const {
    if (is_same) return;
    throw Error(ErrorKind::kTransient,
                fmt::format("{} changed while it was read; run again when nothing writes to it",
                            (folder_ / name).string()));
  }

  // Adds the file to the artifact and returns its digest; nothing if it is not there.
  std::optional<Digest> add(std::string_view name) {
    const fs::path path = folder_ / name;
    const auto stat = files_.stat(path);
    if (!stat) return std::nullopt;
    const Digest digest = digests_.digest_file(path);
    source_.artifact.files.push_back({std::string(name), digest, stat->size_bytes});
    return digest;
  }

  std::optional<Digest> note(Sha256& hash, std::string_view name) {
    const auto digest = add(name);
    if (digest) hash.update(fmt::format("{} {}\n", name, digest->hex()));
    return digest;
  }

  void read_tensors(const formats::ModelConfig& config, const formats::Checkpoint& checkpoint) {
    const models::HyperParameters parameters = models::parameters_from_config(config);
    source_.architecture = parameters.architecture;
    source_.network = network_facts(parameters);
    source_.context_length = parameters.context;
    add_weights(source_, checkpoint_weights(checkpoint, parameters, folder_));
  }

  void add_files(const formats::Checkpoint& checkpoint) {
    Sha256 hash;
    if (checkpoint.has_index()) (void)note(hash, kWeightsIndex);
    for (const std::string& name : checkpoint.files()) (void)note(hash, name);
    source_.artifact.facets["weights"] = hash.finish().hex();
    // Hashing took its time, and the headers were read before it.
    const formats::Checkpoint again = formats::Checkpoint::open(files_, folder_);
    require_same(checkpoint.files().front(), has_same_tensors(checkpoint, again));
  }

  void add_config(const formats::ModelConfig& config, const Digest& parsed) {
    require_same("config.json", add("config.json") == parsed);
    Json seen = sorted_copy(config.raw);
    // Which library wrote the file, and whether its cache is on, change nothing that is made of it.
    for (const std::string_view key : {"transformers_version", "use_cache", "_name_or_path"})
      remove_member(seen, key);
    source_.artifact.facets["config"] = sha256(seen.dump()).hex();
  }

  void add_tokenizer(const Digest& parsed) {
    Sha256 tokenizer;
    Sha256 chat_template;
    const auto digest = note(tokenizer, "tokenizer.json");
    require_same("tokenizer.json", digest == parsed);
    (void)note(tokenizer, "special_tokens_map.json");
    if (const auto hashed = add("tokenizer_config.json")) {
      const formats::HashedJson file = read_json("tokenizer_config.json");
      require_same("tokenizer_config.json", file.sha256 == hashed);
      Json config = sorted_copy(file.value);
      if (const Json* const own = config.find("chat_template"))
        chat_template.update("config " + own->dump() + "\n");
      remove_member(config, "chat_template");
      tokenizer.update("tokenizer_config.json " + config.dump() + "\n");
    }
    (void)note(chat_template, "chat_template.jinja");
    (void)note(tokenizer, "generation_config.json");
    source_.artifact.facets["tokenizer"] = tokenizer.finish().hex();
    source_.artifact.facets["template"] = chat_template.finish().hex();
  }

  void add_readme() {
    source_.front_matter = Json::object();
    Sha256 readme;
    if (const auto digest = add("README.md")) {
      readme.update(digest->hex());
      const fs::path path = folder_ / "README.md";
      const std::string text = read_file(files_, path, kMaxReadmeBytes);
      require_same("README.md", sha256(text) == digest);
      source_.front_matter =
          with_context(path.string(), [&] { return formats::read_front_matter(text); });
    }
    source_.artifact.facets["readme"] = readme.finish().hex();
  }

  // The artifact's files sorted by name, with their paths.
  void finish() {
    auto& list = source_.artifact.files;
    std::sort(list.begin(), list.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const cache::FileEntry& file : list) source_.paths.push_back(folder_ / file.name);
  }

  FileSystem& files_;
  engine::StatTable& digests_;
  fs::path folder_;
  SourceModel source_;
};

}  // namespace

std::string SourceModel::license() const {
  const Json* const license = front_matter.find("license");
  if (license == nullptr) return "";
  if (license->is_string()) return license->as_string();
  if (license->is_array() && license->as_array().size() == 1 && license->as_array()[0].is_string())
    return license->as_array()[0].as_string();
  return "";
}

SourceModel import_source(FileSystem& files, engine::StatTable& digests, const fs::path& path) {
  const auto stat = files.stat(path);
  if (!stat)
    throw Error(ErrorKind::kNotFound, fmt::format("there is no folder or file {}", path.string()));
  if (stat->kind == FileStat::Kind::kDirectory) return import_checkpoint(files, digests, path);
  if (stat->kind != FileStat::Kind::kRegular)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} is a device or a pipe; a source is a checkpoint's folder or a GGUF "
                            "file",
                            path.string()));
  return import_gguf(files, digests, path);
}

void add_weights(SourceModel& source, std::vector<WeightTensor> weights) {
  for (const WeightTensor& tensor : weights) {
    source.parameters += tensor.values();
    source.weight_bytes += tensor.size_bytes;
    source.largest_tensor_bytes = std::max(source.largest_tensor_bytes, tensor.size_bytes);
  }
  source.tensors = specs_of(weights);
  source.piece_scope = piece_scope(weights);
  source.weights = std::move(weights);
}

SourceModel import_checkpoint(FileSystem& files, engine::StatTable& digests,
                              const fs::path& folder) {
  return Importer(files, digests, folder).import();
}

}  // namespace qbuild::rules
