#include <gmock/gmock.h>

#include "tests/rules/lowered_project.h"

namespace qbuild::rules {
namespace {

using ::testing::HasSubstr;

class LowerPublish : public LoweredProject {
 protected:
  std::string license_reason(std::string_view lines) {
    const Lowered made = lowered("    quants: [Q8_0]\n" + std::string(lines) +
                                 "    publish: {repo: acme/b, hub: ./hub}\n");
    const auto verdict = made.graph.node(*made.graph.find("b:license")).judge({});
    return verdict.held ? verdict.reason : "allowed";
  }
  std::string manifest_of(std::string_view lines) {
    const Lowered made = lowered(std::string(lines) + "    publish: {repo: acme/b, hub: ./hub}\n");
    return made.graph.node(*made.graph.find("b:card")).params.at("manifest").as_string();
  }
};

TEST_F(LowerPublish, ALicenceThatIsNotListedIsHeldWithThePlaceOfTheList) {
  const std::string reason = license_reason("    licenses: [mit]\n");
  EXPECT_THAT(reason, HasSubstr("qbuild.yaml:6:15: licence apache-2.0 is not in licenses; add it "
                                "there, or accept it for this model with license: {accept: "
                                "apache-2.0, reason: ...}"));
  EXPECT_EQ(license_reason("    licenses: [apache-2.0]\n"), "allowed");
}

TEST_F(LowerPublish, ASourceWithoutALicenceSaysWhereToStateIt) {
  fs::remove(model_ / "README.md");
  EXPECT_THAT(license_reason("    licenses: [mit]\n"),
              HasSubstr("qbuild.yaml:6:15: licenses is given, and the source states none; ask its "
                        "owner, and write `license: NAME` in the front matter of " +
                        (model_ / "README.md").string()));
}

TEST_F(LowerPublish, TheCardsManifestHoldsTheBenchmark) {
  EXPECT_EQ(manifest_of("    quants: [Q8_0]\n    benchmark: {perplexity: {text: text.txt}}\n"),
            "version: 1\nmodels:\n  b:\n    source: bard-llama\n    quants:\n      - Q8_0\n"
            "    benchmark: {perplexity: {text: text.txt}}");
}

TEST_F(LowerPublish, TheCardsManifestHoldsTheImportanceMatrixOfWhoeverUsesIt) {
  write("x.imatrix", imatrix_for(import_folder(kBard).weights));
  const std::string lines = "    imatrix: " + (folder_.path() / "x.imatrix").string() + "\n";
  EXPECT_EQ(manifest_of(lines + "    quants: [Q8_0, {type: Q4_K_M, imatrix: true}]\n"),
            "version: 1\nmodels:\n  b:\n    source: bard-llama\n    imatrix: ./x.imatrix\n"
            "    quants:\n      - Q8_0\n      - {type: Q4_K_M, imatrix: true}");
  EXPECT_THAT(manifest_of(lines + "    quants: [Q8_0]\n"), testing::Not(HasSubstr("imatrix")));
}

TEST_F(LowerPublish, TheCardsManifestTellsNobodyWhereFilesLie) {
  const std::string text = manifest_of("    quants: [Q8_0]\n    benchmark: {perplexity: {text: " +
                                       (folder_.path() / "text.txt").string() + "}}\n");
  EXPECT_THAT(text, HasSubstr("{text: ./text.txt}"));
  EXPECT_THAT(text, testing::Not(HasSubstr(folder_.path().string())));
}

TEST_F(LowerPublish, TheBaseModelOfTheManifestReachesTheCard) {
  const Lowered made = lowered(
      "    quants: [Q8_0]\n    card: {base_model: acme/bard}\n"
      "    publish: {repo: acme/b, hub: ./hub}\n");
  EXPECT_EQ(made.graph.node(*made.graph.find("b:card")).params.at("base_model").as_string(),
            "acme/bard");
}

}  // namespace
}  // namespace qbuild::rules
