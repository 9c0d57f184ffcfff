#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

TEST(Existence, ManyModelsWithOneTextLookOnce) {
  Project project;
  project.put("qbuild.yaml", R"(version: 1
defaults: {quants: Q8_0, benchmark: {perplexity: {text: text.txt}}}
models: {a: {source: tiny}, b: {source: tiny}, c: {source: tiny}}
)");
  const std::uint64_t before = project.files().count(FakeFileSystem::Call::kStat);
  const LoadResult result = project.try_load_files({"qbuild.yaml"});
  EXPECT_TRUE(result.diagnostics.empty());
  const std::uint64_t with_files = project.files().count(FakeFileSystem::Call::kStat) - before;
  const std::vector<fs::path> paths{"/p/qbuild.yaml"};
  static_cast<void>(load(project.files(), paths, FileChecks::kSkip));
  const std::uint64_t without =
      project.files().count(FakeFileSystem::Call::kStat) - before - with_files;
  EXPECT_EQ(with_files - without, 2u);
}

const BrokenManifest kBroken[] = {
    {"Source",
     R"(version: 1
models:
  a: {source: nowhere, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: the source "nowhere" does not exist: there is no nowhere)"},
    {"GgufIsNotThere",
     R"(version: 1
models:
  a: {source: none.gguf, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: the source "none.gguf" does not exist: there is no none.gguf)"},
    {"SourceIsAFile",
     R"(version: 1
models:
  a: {source: text.txt, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: the source "text.txt" is a file; give the folder of the checkpoint, or a file that ends in .gguf)"},
    {"Texts",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {perplexity: {text: missing.txt}}}
)",
     R"(qbuild.yaml:3:68: the text "missing.txt" does not exist: there is no missing.txt)"},
    {"Templates",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], template: none.jinja, card: {template: tiny}}
)",
     R"(qbuild.yaml:3:47: the template "none.jinja" does not exist: there is no none.jinja
qbuild.yaml:3:76: the card's template "tiny" is a folder; give a file)"},
};

class ExistenceErrors : public BrokenManifestTest {};

TEST_P(ExistenceErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, ExistenceErrors, testing::ValuesIn(kBroken),
                         BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
