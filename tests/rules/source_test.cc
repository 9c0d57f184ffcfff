#include "rules/source.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/clock.h"
#include "engine/stat_table.h"
#include "rules/display.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Source : public testing::Test {
 protected:
  // Facets that differ from the untouched checkpoint's.
  [[nodiscard]] std::vector<std::string> changed() const {
    std::vector<std::string> names;
    const auto now = import_folder(model_).artifact.facets;
    for (const auto& [facet, hex] : before_)
      if (now.at(facet) != hex) names.push_back(facet);
    return names;
  }
  void set(const std::string& file, std::string_view key, Json value) const {
    Json json = Json::parse(read_text(model_ / file));
    json[key] = std::move(value);
    write_text(model_ / file, json.dump());
  }
  void append(const std::string& file, std::string_view text) const {
    write_text(model_ / file, read_text(model_ / file) + std::string(text));
  }
  [[nodiscard]] Error failure() const {
    return error_of([&] { (void)import_folder(model_); });
  }

  TemporaryFolder folder_;
  fs::path model_ = copy_of_bard(folder_.path());
  std::map<std::string, std::string> before_ = import_folder(model_).artifact.facets;
};

TEST_F(Source, TellsWhatTheHeadersSay) {
  const SourceModel source = import_folder(model_);
  EXPECT_EQ(source.name, "bard-llama");
  EXPECT_EQ(source.architecture, "llama");
  EXPECT_EQ(source.license(), "apache-2.0");
  EXPECT_EQ(display_count(source.parameters), "4.07 M");
  EXPECT_EQ(source.weight_bytes, 2 * source.parameters);
  EXPECT_EQ(source.largest_tensor_bytes, 2u * 1024 * 256);
  EXPECT_EQ(source.network.block_count, 6u);
  EXPECT_EQ(source.network.head_count, 8u);
  EXPECT_EQ(source.network.head_count_kv, 4u);
  ASSERT_EQ(source.tensors.size(), 57u);
  EXPECT_TRUE(
      std::is_sorted(source.tensors.begin(), source.tensors.end(),
                     [](const auto& a, const auto& b) { return file_order(a.name, b.name); }));
}

TEST_F(Source, NamesItsFilesWithTheirDigests) {
  const SourceModel source = import_folder(model_);
  std::vector<std::string> names;
  ASSERT_EQ(source.paths.size(), source.artifact.files.size());
  for (std::size_t i = 0; i < source.paths.size(); ++i) {
    const cache::FileEntry& file = source.artifact.files[i];
    names.push_back(file.name);
    EXPECT_EQ(source.paths[i], model_ / file.name);
    EXPECT_EQ(file.sha256, sha256(read_text(source.paths[i]))) << file.name;
  }
  EXPECT_THAT(names,
              ElementsAre("README.md", "config.json", "generation_config.json", "model.safetensors",
                          "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"));
}

TEST_F(Source, AnUntouchedSourceHasTheSameFacets) {
  EXPECT_THAT(changed(), ElementsAre());
}

TEST_F(Source, ItsCardChangesTheReadmeAlone) {
  append("README.md", "More about it.\n");
  EXPECT_THAT(changed(), ElementsAre("readme"));
}

TEST_F(Source, AHyperparameterChangesTheConfigAlone) {
  set("config.json", "rms_norm_eps", 1e-6);
  EXPECT_THAT(changed(), ElementsAre("config"));
}

TEST_F(Source, WhichLibraryWroteTheConfigChangesNothing) {
  set("config.json", "transformers_version", "4.99.0");
  set("config.json", "use_cache", false);
  set("config.json", "_name_or_path", "somewhere/else");
  EXPECT_THAT(changed(), ElementsAre());
}

TEST_F(Source, TheOrderOfTheConfigsMembersChangesNothing) {
  Json json = Json::parse(read_text(model_ / "config.json"));
  std::reverse(json.as_object().begin(), json.as_object().end());
  write_text(model_ / "config.json", json.dump_pretty());
  EXPECT_THAT(changed(), ElementsAre());
}

TEST_F(Source, AWeightChangesTheWeightsAlone) {
  put_nan(model_, "model.norm.weight");
  EXPECT_THAT(changed(), ElementsAre("weights"));
}

TEST_F(Source, TokensChangeTheTokenizerAlone) {
  append("tokenizer.json", "\n");
  EXPECT_THAT(changed(), ElementsAre("tokenizer"));
}

TEST_F(Source, TheTokenizersSettingsChangeTheTokenizerAlone) {
  set("tokenizer_config.json", "add_bos_token", true);
  EXPECT_THAT(changed(), ElementsAre("tokenizer"));
}

TEST_F(Source, AnotherChatTemplateChangesTheTemplateAlone) {
  set("tokenizer_config.json", "chat_template", "{{ messages }}");
  EXPECT_THAT(changed(), ElementsAre("template"));
}

TEST_F(Source, AChatTemplateInAFileOfItsOwnChangesTheTemplateAlone) {
  write_text(model_ / "chat_template.jinja", "{{ messages }}");
  EXPECT_THAT(changed(), ElementsAre("template"));
}

TEST_F(Source, ALicenceMayStandInAListOfOneOrNotAtAll) {
  write_text(model_ / "README.md", "---\nlicense: [mit]\n---\n");
  EXPECT_EQ(import_folder(model_).license(), "mit");
  write_text(model_ / "README.md", "---\nlicense: [mit, other]\n---\n");
  EXPECT_EQ(import_folder(model_).license(), "");
  fs::remove(model_ / "README.md");
  const SourceModel source = import_folder(model_);
  EXPECT_EQ(source.license(), "");
  EXPECT_EQ(source.front_matter, Json::object());
}

TEST_F(Source, AMissingFolderOrAFileInItsPlaceIsSaid) {
  const fs::path none = folder_.path() / "none";
  const Error missing = error_of([&] { (void)import_folder(none); });
  EXPECT_EQ(missing.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(missing.message(), "there is no folder or file " + none.string());
  const fs::path file = model_ / "config.json";
  const Error no_folder = error_of([&] { (void)import_folder(file); });
  EXPECT_EQ(no_folder.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(no_folder.message(),
            file.string() + ": it is no GGUF file (it does not begin with \"GGUF\")");
}

TEST_F(Source, WhatIsMissingIsNamedWithItsFolder) {
  for (const char* const name : {"config.json", "tokenizer.json"}) {
    fs::rename(model_ / name, folder_.path() / name);
    EXPECT_EQ(failure().kind(), ErrorKind::kNotFound) << name;
    EXPECT_EQ(failure().message(), model_.string() + " has no " + name);
    fs::rename(folder_.path() / name, model_ / name);
  }
  fs::remove(model_ / "model.safetensors");
  EXPECT_EQ(failure().kind(), ErrorKind::kNotFound);
  EXPECT_THAT(failure().message(), HasSubstr(model_.string() + " has no model.safetensors and no"));
}

TEST_F(Source, AGitLfsPointerIsToldWithTheWayOut) {
  for (const char* const name : {"tokenizer.json", "model.safetensors"}) {
    write_text(model_ / name,
               "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 8139224\n");
    const Error error = failure();
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << name;
    EXPECT_EQ(error.message(),
              (model_ / name).string() +
                  " is a Git LFS pointer, not the file itself; run \"git lfs pull\" in " +
                  model_.string());
  }
}

TEST_F(Source, AnUnknownArchitectureIsUnsupported) {
  set("config.json", "architectures", Json::Array{"MambaForCausalLM"});
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("the architecture MambaForCausalLM"));
  EXPECT_THAT(error.message(), HasSubstr("is not supported yet; supported is llama"));
}

TEST_F(Source, AnUnknownTensorIsUnsupported) {
  std::string bytes = read_text(model_ / "model.safetensors");
  const std::string known = "model.norm.weight";
  bytes.replace(bytes.find(known), known.size(), "model.nerm.weight");
  write_text(model_ / "model.safetensors", bytes);
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(), "tensor model.nerm.weight is no tensor of a llama network");
}

TEST_F(Source, TensorsThatContradictTheConfigAreRefused) {
  const std::string folder = model_.string();
  set("config.json", "num_hidden_layers", 99);
  EXPECT_EQ(failure().kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(failure().message(), folder +
                                     ": model.layers.6.input_layernorm.weight is missing: "
                                     "config.json says 99 layers");
  set("config.json", "num_hidden_layers", 2);
  EXPECT_EQ(failure().message(), folder +
                                     "/model.safetensors: model.layers.2.input_layernorm.weight: "
                                     "config.json says 2 layers");
  set("config.json", "num_hidden_layers", 6);
  set("config.json", "intermediate_size", 999);
  EXPECT_EQ(failure().message(), folder +
                                     "/model.safetensors: model.layers.0.mlp.down_proj.weight: its "
                                     "shape is [256, 512]; config.json makes it [256, 999]");
  set("config.json", "intermediate_size", 512);
  set("config.json", "num_key_value_heads", 8);
  EXPECT_EQ(failure().message(),
            folder +
                "/model.safetensors: model.layers.0.self_attn.k_proj.weight: its "
                "shape is [128, 256]; config.json makes it [256, 256]");
}

TEST_F(Source, NumbersThatNoNetworkHasAreRefused) {
  set("config.json", "num_hidden_layers", std::int64_t{4'294'967'297});
  EXPECT_EQ(failure().message(), (model_ / "config.json").string() +
                                     ": num_hidden_layers: is 4294967297, which is more than 512");
}

// Edits the file while the weights are hashed, which is when the stat table waits for the young
// file.
TEST_F(Source, AFileThatChangesBetweenParsingAndHashingIsNotTaken) {
  const auto files = make_posix_file_system();
  for (const char* const name : {"config.json", "tokenizer.json"}) {
    const std::string before = read_text(model_ / name);
    const std::string weights = read_text(model_ / "model.safetensors");
    write_text(model_ / "model.safetensors", weights);
    FakeClock clock(files->stat(model_ / "model.safetensors")->ctime_ns + 1000);
    int waits = 0;
    engine::StatTable digests(*files, clock, [&](std::int64_t) {
      if (++waits == 1) write_text(model_ / name, before + " ");
    });
    const Error error = error_of([&] { (void)import_source(*files, digests, model_); });
    EXPECT_EQ(error.kind(), ErrorKind::kTransient) << name;
    EXPECT_EQ(error.message(), (model_ / name).string() +
                                   " changed while it was read; run again when nothing writes to "
                                   "it");
    EXPECT_GE(waits, 1);
    write_text(model_ / name, before);
  }
}

TEST_F(Source, WeightsThatChangeBetweenParsingAndHashingAreNotTaken) {
  const auto files = make_posix_file_system();
  const fs::path path = model_ / "model.safetensors";
  std::string weights = read_text(path);
  write_text(path, weights);
  FakeClock clock(files->stat(path)->ctime_ns + 1000);
  weights.replace(weights.find("\"BF16\""), 6, "\"F16\" ");
  int waits = 0;
  engine::StatTable digests(*files, clock, [&](std::int64_t) {
    if (++waits == 1) write_text(path, weights);
  });
  const Error error = error_of([&] { (void)import_source(*files, digests, model_); });
  EXPECT_THAT(error.message(), HasSubstr(path.string() + " changed while it was read; "));
}

TEST_F(Source, WeightsThatWereCutOffAreRefused) {
  fs::resize_file(model_ / "model.safetensors", 4'000'000);
  EXPECT_EQ(failure().kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(failure().message(), HasSubstr((model_ / "model.safetensors").string()));
}

}  // namespace
}  // namespace qbuild::rules
