#include "manifests/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "manifests/limits.h"
#include "manifests/manifest.h"
#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_of(const std::vector<Model>& models) {
  std::vector<std::string> names;
  for (const Model& model : models) names.push_back(model.name);
  return names;
}

TEST(Load, AListOfSourcesNamesModelsAfterTheirFolders) {
  Project project;
  const LoadResult result = project.try_load_text(
      "version: 1\ndefaults: {quants: [Q8_0]}\nmodels:\n  - ./tiny\n  - shared/big/\n");
  EXPECT_TRUE(result.diagnostics.empty());
  EXPECT_THAT(names_of(result.manifest.models), ElementsAre("tiny", "big"));
  EXPECT_EQ(result.manifest.models[1].source.path.path, "/p/shared/big");
}

TEST(Load, AMatrixMakesAModelForEachCombination) {
  Project project;
  const LoadResult result = project.try_load_text(R"(version: 1
models:
  "m-{size}-{q}":
    matrix: {size: [tiny, small], q: [Q8_0, Q4_0], exclude: [{size: small, q: Q4_0}]}
    source: "{size}"
    quants: ["{q}"]
    publish: {repo: "acme/{model}", file: "{size}-{variant}"}
)");
  EXPECT_EQ(format(std::span<const Diagnostic>(result.diagnostics)), "");
  EXPECT_THAT(names_of(result.manifest.models),
              ElementsAre("m-tiny-Q8_0", "m-tiny-Q4_0", "m-small-Q8_0"));
  const Model* const model = result.manifest.find("m-tiny-Q4_0");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->source.path.path, "/p/tiny");
  EXPECT_EQ(model->variants.at(0).recipe, "Q4_0");
  EXPECT_EQ(model->publish->variants.at(0).repo.text, "acme/m-tiny-Q4_0");
  EXPECT_EQ(model->publish->variants.at(0).file, "tiny-Q4_0.gguf");
  ASSERT_EQ(model->matrix.size(), 2u);
  EXPECT_EQ(model->matrix[0].variable, "size");
  EXPECT_EQ(model->matrix[0].value, "tiny");
}

TEST(Load, SeveralManifestsHaveTheirOwnDefaultsAndOneListOfModels) {
  Project project;
  project.put("one.yaml", "version: 1\ndefaults: {quants: Q8_0}\nmodels: [tiny]\n");
  project.put("two.yaml", "version: 1\ndefaults: {quants: Q6_K}\nmodels: [small]\n");
  const LoadResult result = project.try_load_files({"one.yaml", "two.yaml"});
  EXPECT_TRUE(result.diagnostics.empty());
  ASSERT_EQ(result.manifest.models.size(), 2u);
  EXPECT_EQ(result.manifest.models[0].variants[0].name, "Q8_0");
  EXPECT_EQ(result.manifest.models[1].variants[0].name, "Q6_K");
  EXPECT_EQ(result.manifest.models[1].at.file, 1u);
}

TEST(Load, ModelsOfSeveralManifestsMayNotShareAName) {
  Project project;
  project.put("one.yaml", "version: 1\ndefaults: {quants: Q8_0}\nmodels: [tiny]\n");
  project.put("two.yaml", "version: 1\ndefaults: {quants: Q6_K}\nmodels: [tiny]\n");
  const LoadResult result = project.try_load_files({"one.yaml", "two.yaml"});
  EXPECT_EQ(format(std::span<const Diagnostic>(result.diagnostics)),
            "two.yaml:3:10: the model \"tiny\" stands twice; the first is at one.yaml:3:10");
}

TEST(Load, AMissingManifestIsTold) {
  Project project;
  const LoadResult result = project.try_load_files({"qbuild.yaml"});
  EXPECT_EQ(format(std::span<const Diagnostic>(result.diagnostics)),
            "qbuild.yaml: the file does not exist");
}

TEST(Load, AManifestThatIsTooLargeIsTold) {
  Project project;
  project.put("qbuild.yaml", std::string(kMaxFileBytes + 1, '#'));
  const LoadResult result = project.try_load_files({"qbuild.yaml"});
  EXPECT_EQ(format(std::span<const Diagnostic>(result.diagnostics)),
            "qbuild.yaml: the file is larger than 2 MiB, too large for a manifest");
}

TEST(Load, AManifestThatMayNotBeReadIsTold) {
  Project project;
  project.put("qbuild.yaml", "version: 1\n");
  project.files().fail(FakeFileSystem::Call::kOpen, 1, EACCES);
  const LoadResult result = project.try_load_files({"qbuild.yaml"});
  EXPECT_EQ(format(std::span<const Diagnostic>(result.diagnostics)),
            "qbuild.yaml: the file cannot be read: permission denied");
}

TEST(Load, ThrowsAllDiagnosticsAsOneError) {
  Project project;
  project.put("qbuild.yaml", "version: 1\nmodels: {a: {source: tiny, quants: [Q9_0, Q8_1]}}\n");
  const std::vector<fs::path> paths{"/p/qbuild.yaml"};
  try {
    static_cast<void>(load(project.files(), paths));
    FAIL() << "it loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_EQ(error.message(),
              "/p/qbuild.yaml:2:37: unknown quant \"Q9_0\"; did you mean \"Q8_0\"?\n"
              "/p/qbuild.yaml:2:43: unknown quant \"Q8_1\"; did you mean \"Q8_0\"?");
  }
}

TEST(Load, ListsEveryFileThatItRead) {
  Project project;
  project.put("common.yaml", "defaults: {quants: Q8_0}\n");
  const LoadResult result =
      project.try_load_text("version: 1\ninclude: common.yaml\nmodels: [tiny]\n");
  ASSERT_EQ(result.manifest.files.size(), 2u);
  EXPECT_EQ(result.manifest.files[0].path, "/p/qbuild.yaml");
  EXPECT_EQ(result.manifest.files[1].path, "/p/common.yaml");
}

TEST(Load, SkipsTheLookForFilesWhenAskedTo) {
  Project project;
  project.put("qbuild.yaml", "version: 1\nmodels: {a: {source: gone, quants: Q8_0}}\n");
  const std::vector<fs::path> paths{"/p/qbuild.yaml"};
  EXPECT_EQ(load(project.files(), paths, FileChecks::kSkip).models.size(), 1u);
  EXPECT_THROW(static_cast<void>(load(project.files(), paths)), Error);
}

TEST(Load, StopsAtMoreModelsThanAnybodyHas) {
  Project project;
  std::string values;
  for (int i = 0; i < 101; ++i) values += "v" + std::to_string(i) + ",";
  const std::string errors = project.errors(
      "version: 1\nmodels:\n  \"m-{a}-{b}\": {source: tiny, quants: Q8_0, matrix: {a: [" + values +
      "], b: [" + values + "]}}\n");
  EXPECT_EQ(errors.substr(errors.find(": ") + 2), "the matrix has more than 10000 combinations");
}

TEST(Load, ThreeHundredErrorsAreCutToTwoHundredAndACount) {
  Project project;
  std::string quants;
  for (int i = 0; i < 300; ++i) quants += "X" + std::to_string(i) + ",";
  const LoadResult result = project.try_load_text(with_model("    quants: [" + quants + "]\n"));
  EXPECT_EQ(result.diagnostics.size(), 201u);
  EXPECT_EQ(result.diagnostics.back().message, "and 100 more errors");
}

const BrokenManifest kBroken[] = {
    {"NoVersion",
     R"(models:
  a: {source: tiny, quants: [Q8_0]}
)",
     R"(qbuild.yaml:1:1: the manifest needs the key "version"; write "version: 1" first)"},
    {"NoModels",
     R"(version: 1
)",
     R"(qbuild.yaml:1:1: the manifest needs the key "models")"},
    {"NameWithColon",
     R"(version: 1
models:
  'a:b': {source: tiny, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:3: "a:b" cannot be the name of a model: it may have letters, digits, ".", "_" and "-" only)"},
    {"NameWithDash",
     R"(version: 1
models:
  -a: {source: tiny, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:3: "-a" cannot be the name of a model: it begins with "-")"},
    {"NameThatDiffersByCase",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0]}
  A: {source: small, quants: [Q8_0]}
)",
     R"(qbuild.yaml:4:3: the model "A" stands twice; the first is at qbuild.yaml:3:3)"},
    {"SameFolderTwice",
     R"(version: 1
models: [tiny, ./tiny/]
defaults: {quants: Q8_0}
)",
     R"(qbuild.yaml:2:16: the model "tiny" stands twice; the first is at qbuild.yaml:2:10)"},
    {"FolderWithoutAName",
     R"(version: 1
models: ['my model']
defaults: {quants: Q8_0}
)",
     R"(qbuild.yaml:2:10: no name follows from "my model"; declare the model in a mapping with a name of its own)"},
    {"AddressInAList",
     R"(version: 1
models: [tiny, 'hf://acme/x']
defaults: {quants: Q8_0}
)",
     R"(qbuild.yaml:2:16: "hf://acme/x": downloading is not possible yet; fetch the model and give its folder or GGUF file as the source)"},
    {"MatrixNotInTheName",
     R"(version: 1
models:
  'a-{size}': {source: tiny, quants: [Q8_0], matrix: {size: [1, 2], kind: [x, y]}}
)",
     R"(qbuild.yaml:3:3: the name "a-{size}" must contain every variable of its matrix; {kind} is missing)"},
    {"NoMatrix",
     R"(version: 1
models:
  'a-{size}': {source: tiny, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:3: unknown variable "size")"},
    {"DefaultsAreToldOnce",
     R"(version: 1
defaults: {quants: [Q9_0]}
models: [tiny, small]
)",
     R"(qbuild.yaml:2:21: unknown quant "Q9_0"; did you mean "Q8_0"?)"},
};

class LoadErrors : public BrokenManifestTest {};

TEST_P(LoadErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, LoadErrors, testing::ValuesIn(kBroken), BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
