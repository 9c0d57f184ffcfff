#include "manifests/include.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Include, MappingsMergeListsAndScalarsAreReplaced) {
  Project project;
  project.put("common.yaml", R"(sets: {house: [Q4_0, Q8_0]}
defaults:
  quants: house
  licenses: [mit, apache-2.0]
  benchmark: {throughput: {prompt: 8, generate: 4}}
)");
  const Model model = project.model(R"(version: 1
include: [common.yaml]
defaults:
  licenses: [gemma]
  benchmark: {throughput: {prompt: 16}}
models: {a: {source: tiny}}
)");
  EXPECT_EQ(model.variants.size(), 2u);
  EXPECT_THAT(*model.licenses, ElementsAre("gemma"));
  EXPECT_EQ(model.benchmark.throughput->prompt, 16u);
  EXPECT_EQ(model.benchmark.throughput->generate, 4u);
}

TEST(Include, PathsAreRelativeToTheFileThatTheyStandIn) {
  Project project;
  project.put("shared/common.yaml",
              "defaults: {quants: Q8_0, benchmark: {perplexity: {text: text.txt}}}\n"
              "models: {big: {source: ./big}}\n");
  const LoadResult result = project.try_load_text(
      "version: 1\ninclude: ./shared/common.yaml\nmodels: {a: {source: tiny}}\n");
  EXPECT_EQ(format(std::span<const Diagnostic>(result.diagnostics)), "");
  ASSERT_EQ(result.manifest.models.size(), 2u);
  EXPECT_EQ(result.manifest.models[0].source.path.path, "/p/shared/big");
  EXPECT_EQ(result.manifest.models[1].source.path.path, "/p/tiny");
  EXPECT_EQ(result.manifest.models[1].benchmark.texts[0].text.path, "/p/shared/text.txt");
}

TEST(Include, OfSeveralALaterOneLiesAbove) {
  Project project;
  project.put("one.yaml", "defaults: {quants: Q8_0}\n");
  project.put("two.yaml", "defaults: {quants: Q6_K}\n");
  const Model model =
      project.model("version: 1\ninclude: [one.yaml, two.yaml]\nmodels: {a: {source: tiny}}\n");
  EXPECT_EQ(model.variants.at(0).name, "Q6_K");
}

TEST(Include, ErrorsNameTheIncludedFileAlsoWhereTheValueIsReplaced) {
  Project project;
  project.put("shared/common.yaml", "defaults:\n  quants: 7\n  benchmrk: {}\n");
  EXPECT_EQ(
      project.errors("version: 1\ninclude: shared/common.yaml\ndefaults: {quants: Q8_0}\n"
                     "models: [tiny]\n"),
      "shared/common.yaml:2:11: expected text or a list for \"quants\", found a number; put it "
      "in quotes\n"
      "shared/common.yaml:3:3: unknown key in defaults: \"benchmrk\"; did you mean "
      "\"benchmark\"?");
}

TEST(Include, ACycleIsShown) {
  Project project;
  project.put("a.yaml", "include: b.yaml\n");
  project.put("b.yaml", "include: [a.yaml]\n");
  EXPECT_EQ(
      project.errors("version: 1\ninclude: a.yaml\nmodels: {m: {source: tiny, quants: Q8_0}}\n"),
      "b.yaml:1:11: include cycle: a.yaml -> b.yaml -> a.yaml");
}

TEST(Include, AFileThatSeveralIncludeIsReadOnce) {
  Project project;
  project.put("base.yaml", "defaults: {quants: Q8_0}\n");
  project.put("one.yaml", "include: base.yaml\n");
  project.put("two.yaml", "include: base.yaml\n");
  const LoadResult result =
      project.try_load_text("version: 1\ninclude: [one.yaml, two.yaml]\nmodels: [tiny]\n");
  EXPECT_TRUE(result.diagnostics.empty());
  EXPECT_EQ(result.manifest.files.size(), 4u);
}

TEST(Include, AChainThatIsTooLongIsRefused) {
  Project project;
  for (int i = 0; i < 300; ++i)
    project.put("f" + std::to_string(i) + ".yaml",
                "include: f" + std::to_string(i + 1) + ".yaml\n");
  EXPECT_THAT(
      project.errors("version: 1\ninclude: f0.yaml\nmodels: {m: {source: tiny, quants: Q8_0}}\n"),
      HasSubstr("more than 256 files"));
}

TEST(Include, MembersOfTheLowerFileComeFirst) {
  Project project;
  project.put("common.yaml", "models: {z: {source: tiny, quants: Q8_0}}\n");
  const LoadResult result = project.try_load_text(
      "version: 1\ninclude: common.yaml\nmodels: {a: {source: tiny, quants: Q8_0}, z: {quants: "
      "Q6_K}}\n");
  ASSERT_EQ(result.manifest.models.size(), 2u);
  EXPECT_EQ(result.manifest.models[0].name, "z");
  EXPECT_EQ(result.manifest.models[0].variants[0].name, "Q6_K");
}

const BrokenManifest kBroken[] = {
    {"Missing",
     R"(version: 1
include: missing.yaml
models:
  a: {source: tiny, quants: [Q8_0]}
)",
     "qbuild.yaml:2:10: the included file missing.yaml does not exist"},
    {"Folder",
     R"(version: 1
include: [tiny]
models:
  a: {source: tiny, quants: [Q8_0]}
)",
     "qbuild.yaml:2:11: the included file tiny is a folder"},
    {"Itself",
     R"(version: 1
include: qbuild.yaml
models:
  a: {source: tiny, quants: [Q8_0]}
)",
     "qbuild.yaml:2:10: include cycle: qbuild.yaml -> qbuild.yaml"},
    {"NumberAsInclude",
     R"(version: 1
include: [1]
models:
  a: {source: tiny, quants: [Q8_0]}
)",
     R"(qbuild.yaml:2:11: expected text for "include[]", found a number; put it in quotes)"},
};

class IncludeErrors : public BrokenManifestTest {};

TEST_P(IncludeErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, IncludeErrors, testing::ValuesIn(kBroken),
                         BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
