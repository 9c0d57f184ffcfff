#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/manifest.h"
#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

Publish publish_of(const std::string& publish, const std::string& quants = "[Q4_0, Q8_0]") {
  Project project;
  return project.model(with_model("    quants: " + quants + "\n    publish: {" + publish + "}\n"))
      .publish.value();
}

TEST(Publish, HasDefaultsForWhatIsNotSaid) {
  const Publish publish = publish_of("repo: acme/a");
  EXPECT_EQ(publish.hub.text, "https://huggingface.co");
  EXPECT_TRUE(publish.hub.is_url);
  EXPECT_EQ(publish.layout, Layout::kFlat);
  EXPECT_EQ(publish.file_pattern, "{source.name}-{variant}");
  EXPECT_FALSE(publish.is_private);
  EXPECT_EQ(publish.message, "Update by qbuild");
}

TEST(Publish, FlatPutsFilesSideBySide) {
  const Publish publish = publish_of("repo: acme/a, hub: ./hub, private: true");
  EXPECT_FALSE(publish.hub.is_url);
  EXPECT_EQ(publish.hub.path, "/p/hub");
  EXPECT_TRUE(publish.is_private);
  ASSERT_EQ(publish.variants.size(), 2u);
  EXPECT_EQ(publish.variants[0].variant, "Q4_0");
  EXPECT_EQ(publish.variants[0].repo.text, "acme/a");
  EXPECT_EQ(publish.variants[0].folder, "");
  EXPECT_EQ(publish.variants[0].file, "tiny-Q4_0.gguf");
}

TEST(Publish, FoldersHaveTheVariantsNames) {
  const Publish publish =
      publish_of("repo: acme/a, layout: folders",
                 "[Q8_0, {name: mine, method: command, run: [x], outputs: ['*.bin']}]");
  EXPECT_EQ(publish.variants[0].folder, "Q8_0");
  EXPECT_EQ(publish.variants[0].file, "tiny-Q8_0.gguf");
  EXPECT_EQ(publish.variants[1].folder, "mine");
  EXPECT_EQ(publish.variants[1].file, "");
}

TEST(Publish, PerVariantMakesARepositoryEach) {
  const Publish publish =
      publish_of("repo: 'acme/{model}-{variant}', layout: per-variant",
                 "[Q8_0, {name: mine, method: command, run: [x], outputs: ['*.bin']}]");
  EXPECT_EQ(publish.variants[0].repo.text, "acme/a-Q8_0");
  EXPECT_EQ(publish.variants[0].folder, "");
  EXPECT_EQ(publish.variants[0].file, "tiny-Q8_0.gguf");
  EXPECT_EQ(publish.variants[1].repo.text, "acme/a-mine");
  EXPECT_EQ(publish.variants[1].folder, "");
  EXPECT_EQ(publish.variants[1].file, "");
}

const BrokenManifest kBroken[] = {
    {"NoRepository",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {hub: ./hub}}
)",
     R"(qbuild.yaml:3:46: "publish" needs the key "repo")"},
    {"NoOwner",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme}}
)",
     R"(qbuild.yaml:3:53: "acme" is no repository: it must be "owner/name")"},
    {"BadRepository",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a--b}}
)",
     R"(qbuild.yaml:3:53: "acme/a--b" is no repository: owner and name have 1 to 96 letters, digits, "_", "-" and ".", do not begin or end with "-" or ".", and contain no "--" or "..")"},
    {"UnknownKindOfHub",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, hub: 's3://x'}}
)",
     R"(qbuild.yaml:3:66: "s3://x" is no hub; give a folder or an https:// address)"},
    {"VariantInOneRepository",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: 'acme/{variant}'}}
)",
     R"(qbuild.yaml:3:53: "repo" may contain {variant} only with the layout "per-variant")"},
    {"OneRepositoryForAll",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, layout: per-variant}}
)",
     R"(qbuild.yaml:3:53: with the layout "per-variant" the "repo" must contain {variant}: one repository each)"},
    {"UnknownVariable",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, file: '{modle}'}}
)",
     R"(qbuild.yaml:3:67: unknown variable "modle"; did you mean "model"?)"},
    {"VariantInAMessage",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, message: '{variant}'}}
)",
     "qbuild.yaml:3:70: the variable {variant} cannot be used here"},
    {"DoubledDate",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, message: '{{date}}'}}
)",
     "qbuild.yaml:3:70: braces around the name of a variable cannot be written here, not even "
     "doubled"},
    {"SingleBrace",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, message: '{'}}
)",
     R"(qbuild.yaml:3:70: a single { in "{"; write {{ for the character)"},
    {"FolderInAFileName",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, file: 'x/{variant}'}}
)",
     R"(qbuild.yaml:3:67: "x/Q8_0.gguf" cannot be the name of a file: folders come from the layout; it may not contain a slash)"},
};

class PublishErrors : public BrokenManifestTest {};

TEST_P(PublishErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, PublishErrors, testing::ValuesIn(kBroken),
                         BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
