#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "formats/gguf_metadata.h"
#include "formats/gguf_parts.h"
#include "formats/model_card.h"
#include "manifests/source_name.h"
#include "models/gguf_source.h"
#include "rules/gguf_weights.h"
#include "rules/source.h"

namespace qbuild::rules {
namespace {

constexpr std::uint64_t kMaxReadmeBytes = 4u << 20;

bool is_same(const formats::GgufParts& a, const formats::GgufParts& b) {
  return a.paths() == b.paths() && a.metadata() == b.metadata() &&
         std::equal(a.tensors().begin(), a.tensors().end(), b.tensors().begin(), b.tensors().end(),
                    [](const auto& one, const auto& other) {
                      return one.part == other.part && one.tensor.name == other.tensor.name &&
                             one.tensor.dtype == other.tensor.dtype &&
                             one.tensor.shape == other.tensor.shape &&
                             one.tensor.offset == other.tensor.offset;
                    });
}

// What a card's front matter would say, as far as the metadata say it.
Json front_matter_of(const formats::GgufMetadata& metadata) {
  Json matter = Json::object();
  const auto text = [&](const char* key, const char* as) {
    const formats::GgufValue* const value = formats::find_value(metadata, key);
    if (value == nullptr) return;
    if (const auto* const one = std::get_if<std::string>(&value->value)) {
      matter[as] = *one;
    } else if (const auto* const some = std::get_if<std::vector<std::string>>(&value->value)) {
      Json list = Json::array();
      for (const std::string& item : *some) list.push_back(item);
      matter[as] = std::move(list);
    }
  };
  text("general.license", "license");
  text("general.license.name", "license_name");
  text("general.license.link", "license_link");
  text("general.tags", "tags");
  text("general.languages", "language");
  return matter;
}

// Sentence without the file's name in front, which whoever complains names.
std::string why_it_does_not_run(const formats::GgufMetadata& metadata) {
  try {
    (void)models::parameters_from_gguf(metadata, "the source");
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

class GgufImport {
 public:
  GgufImport(FileSystem& files, engine::StatTable& digests, const fs::path& path)
      : files_(files),
        digests_(digests),
        path_(path),
        parts_(formats::GgufParts::open(files, path)) {}

  SourceModel run() {
    source_.path = path_;
    source_.is_gguf = true;
    source_.name = manifests::source_name(path_);
    source_.network =
        with_context(path_.string(), [&] { return network_facts(parts_.metadata()); });
    source_.architecture = source_.network.architecture;
    source_.context_length = context_length();
    source_.cannot_run = why_it_does_not_run(parts_.metadata());
    add_weights(source_, gguf_weights(parts_, source_.architecture));
    add_files();
    add_metadata();
    add_readme();
    std::sort(files_of_source().begin(), files_of_source().end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const cache::FileEntry& file : files_of_source())
      source_.paths.push_back(path_.parent_path() / file.name);
    return std::move(source_);
  }

 private:
  std::vector<cache::FileEntry>& files_of_source() { return source_.artifact.files; }

  std::uint64_t context_length() {
    const std::string key = source_.architecture + ".context_length";
    if (formats::find_value(parts_.metadata(), key) == nullptr) return 0;
    return with_context(path_.string(),
                        [&] { return formats::require_uint(parts_.metadata(), key); });
  }

  Digest add(const fs::path& path) {
    const auto stat = files_.stat(path);
    const Digest digest = digests_.digest_file(path);
    files_of_source().push_back({path.filename().string(), digest, stat ? stat->size_bytes : 0});
    return digest;
  }

  // Under another name the file has the same weights.
  void add_files() {
    Sha256 hash;
    for (const fs::path& part : parts_.paths()) hash.update(add(part).hex() + "\n");
    source_.artifact.facets["weights"] = hash.finish().hex();
    // Hashing took its time, and the header was read before it.
    if (!is_same(parts_, formats::GgufParts::open(files_, path_)))
      throw Error(ErrorKind::kTransient,
                  fmt::format("{} changed while it was read; run again when nothing writes to it",
                              path_.string()));
  }

  void add_metadata() {
    const formats::GgufDigests digests = formats::digest_metadata(parts_.metadata());
    source_.artifact.facets["config"] = digests.hyperparameters;
    source_.artifact.facets["tokenizer"] = digests.tokenizer;
    source_.artifact.facets["template"] = digests.chat_template;
  }

  void add_readme() {
    Sha256 readme;
    const fs::path path = path_.parent_path() / "README.md";
    if (const auto stat = files_.stat(path); stat && stat->kind == FileStat::Kind::kRegular) {
      const Digest digest = add(path);
      const std::string text = read_file(files_, path, kMaxReadmeBytes);
      if (sha256(text) != digest)
        throw Error(ErrorKind::kTransient,
                    fmt::format("{} changed while it was read; run again when nothing writes to it",
                                path.string()));
      readme.update(digest.hex());
      source_.front_matter =
          with_context(path.string(), [&] { return formats::read_front_matter(text); });
    } else {
      source_.front_matter = front_matter_of(parts_.metadata());
      readme.update(source_.front_matter.dump());
      source_.artifact.facts = Json::object({{"front_matter", source_.front_matter}});
    }
    source_.artifact.facets["readme"] = readme.finish().hex();
  }

  FileSystem& files_;
  engine::StatTable& digests_;
  fs::path path_;
  formats::GgufParts parts_;
  SourceModel source_;
};

}  // namespace

SourceModel import_gguf(FileSystem& files, engine::StatTable& digests, const fs::path& path) {
  return GgufImport(files, digests, path).run();
}

}  // namespace qbuild::rules
