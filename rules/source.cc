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
#include "models/tensor_names.h"

namespace qbuild::rules {
namespace {

constexpr std::string_view kWeightsIndex = "model.safetensors.index.json";
constexpr std::uint64_t kMaxReadmeBytes = 4u << 20;

// Files beside the weights that say something; all but the first are optional.
constexpr std::string_view kTokenizerFiles[] = {"tokenizer.json", "special_tokens_map.json"};

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

class Importer {
 public:
  Importer(FileSystem& files, engine::StatTable& digests, const fs::path& folder)
      : files_(files), digests_(digests), folder_(folder) {}

  SourceModel import() {
    const auto stat = files_.stat(folder_);
    if (!stat)
      throw Error(ErrorKind::kNotFound, fmt::format("there is no folder {}", folder_.string()));
    if (stat->kind != FileStat::Kind::kDirectory)
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format("{} is no folder; a source is a checkpoint's folder", folder_.string()));
    source_.folder = folder_;
    source_.name = folder_.filename().string();
    const formats::ModelConfig config = formats::read_config(files_, folder_);
    const formats::Checkpoint checkpoint = formats::Checkpoint::open(files_, folder_);
    (void)formats::read_tokenizer_json(files_, folder_);
    read_tensors(config, checkpoint);
    add_weights(checkpoint);
    add_config(config);
    add_tokenizer();
    add_readme();
    finish();
    return std::move(source_);
  }

 private:
  // Adds the file to the artifact and returns its digest; nothing if it is not there.
  std::optional<Digest> add(std::string_view name) {
    const fs::path path = folder_ / name;
    const auto stat = files_.stat(path);
    if (!stat) return std::nullopt;
    const Digest digest = digests_.digest_file(path);
    source_.artifact.files.push_back({std::string(name), digest, stat->size_bytes});
    return digest;
  }

  void note(Sha256& hash, std::string_view name) {
    if (const auto digest = add(name)) hash.update(fmt::format("{} {}\n", name, digest->hex()));
  }

  void read_tensors(const formats::ModelConfig& config, const formats::Checkpoint& checkpoint) {
    source_.architecture = "llama";
    source_.network = {.block_count = static_cast<std::uint32_t>(config.num_hidden_layers),
                       .head_count = static_cast<std::uint32_t>(config.num_attention_heads),
                       .head_count_kv = static_cast<std::uint32_t>(config.num_key_value_heads)};
    for (const formats::CheckpointTensor& tensor : checkpoint.tensors()) {
      if (models::is_ignored_checkpoint_name(tensor.name)) continue;
      const auto name = models::tensor_from_checkpoint_name(tensor.name);
      if (!name)
        throw Error(ErrorKind::kUnsupported,
                    fmt::format("tensor {} is no tensor of a llama network", tensor.name));
      if (name->role == models::TensorRole::kOutput && config.tie_word_embeddings) continue;
      TensorSpec spec{.name = models::gguf_name(*name),
                      .shape = {tensor.shape.rbegin(), tensor.shape.rend()}};
      std::uint64_t values = 1;
      for (const std::uint64_t extent : spec.shape) values *= extent;
      source_.parameters += values;
      source_.weight_bytes += tensor.size_bytes;
      source_.largest_tensor_bytes = std::max(source_.largest_tensor_bytes, tensor.size_bytes);
      source_.tensors.push_back(std::move(spec));
    }
    std::sort(source_.tensors.begin(), source_.tensors.end(),
              [](const TensorSpec& a, const TensorSpec& b) { return file_order(a.name, b.name); });
  }

  void add_weights(const formats::Checkpoint& checkpoint) {
    Sha256 hash;
    if (checkpoint.has_index()) note(hash, kWeightsIndex);
    for (const std::string& name : checkpoint.files()) note(hash, name);
    source_.artifact.facets["weights"] = hash.finish().hex();
  }

  void add_config(const formats::ModelConfig& config) {
    (void)add("config.json");
    Json seen = sorted_copy(config.raw);
    // Which library wrote the file, and whether its cache is on, change nothing that is made of it.
    for (const std::string_view key : {"transformers_version", "use_cache", "_name_or_path"})
      remove_member(seen, key);
    source_.artifact.facets["config"] = sha256(seen.dump()).hex();
  }

  void add_tokenizer() {
    Sha256 tokenizer;
    Sha256 chat_template;
    for (const std::string_view name : kTokenizerFiles) note(tokenizer, name);
    if (add("tokenizer_config.json")) {
      Json config = sorted_copy(formats::read_json_file(files_, folder_ / "tokenizer_config.json"));
      if (const Json* const own = config.find("chat_template"))
        chat_template.update("config " + own->dump() + "\n");
      remove_member(config, "chat_template");
      tokenizer.update("tokenizer_config.json " + config.dump() + "\n");
    }
    note(chat_template, "chat_template.jinja");
    note(tokenizer, "generation_config.json");
    source_.artifact.facets["tokenizer"] = tokenizer.finish().hex();
    source_.artifact.facets["template"] = chat_template.finish().hex();
  }

  void add_readme() {
    source_.front_matter = Json::object();
    Sha256 readme;
    if (const auto digest = add("README.md")) {
      readme.update(digest->hex());
      const fs::path path = folder_ / "README.md";
      source_.front_matter = with_context(path.string(), [&] {
        return formats::read_front_matter(read_file(files_, path, kMaxReadmeBytes));
      });
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

SourceModel import_checkpoint(FileSystem& files, engine::StatTable& digests,
                              const fs::path& folder) {
  return Importer(files, digests, folder).import();
}

}  // namespace qbuild::rules
