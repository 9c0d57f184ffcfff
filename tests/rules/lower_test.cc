#include "rules/lower.h"

#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "manifests/quant_names.h"
#include "tests/rules/lowered_project.h"

namespace qbuild::rules {
namespace {

class Lower : public LoweredProject {};

constexpr std::string_view kPublished =
    "    quants: [Q8_0, Q4_0]\n    publish: {repo: acme/b, hub: ./hub}\n";

// MODEL, MODEL:V, MODEL:STEP, MODEL:V:STEP, MODEL:source:STEP: no variant may be called as a step
// is.
TEST_F(Lower, EveryStepInATargetHasAWordThatNoVariantMayHave) {
  write("text.txt", std::string(1000, 'a'));
  const Lowered made = lowered(
      "    quants: [Q8_0, Q4_0]\n"
      "    benchmark: {perplexity: {text: text.txt, context: 8}, throughput: {repeat: 1}}\n"
      "    gates: {perplexity_ratio: {max: 2}}\n    licenses: [mit, apache-2.0]\n"
      "    publish: {repo: \"acme/b-{variant}\", hub: ./hub, layout: per-variant}\n");
  std::set<std::string> steps;
  for (std::uint32_t i = 0; i < made.graph.size(); ++i) {
    std::istringstream target(made.graph.node(engine::NodeId{i}).target);
    std::string word;
    std::getline(target, word, ':');
    if (word == "file") continue;
    ASSERT_EQ(word, "b");
    while (std::getline(target, word, ':')) steps.insert(word);
  }
  EXPECT_EQ(steps.erase("Q8_0") + steps.erase("Q4_0"), 2U);
  EXPECT_GE(steps.size(), 7U);
  for (const std::string& step : steps) EXPECT_TRUE(manifests::is_step_name(step)) << step;
}

TEST_F(Lower, ASourceThatContradictsItselfIsToldAtItsPlace) {
  Json config = Json::parse(read_text(model_ / "config.json"));
  config["num_hidden_layers"] = 99;
  write_text(model_ / "config.json", config.dump());
  EXPECT_EQ(problems("    quants: [Q8_0]\n"),
            "qbuild.yaml:4:13: source: bard-llama: model.layers.6.input_layernorm.weight is "
            "missing: config.json says 99 layers");
}

TEST_F(Lower, ATroubleOfTheHubIsToldAtTheHub) {
  fs::create_directories(folder_.path() / "hub");
  write("hub/notes.txt", "mine");
  EXPECT_EQ(problems(kPublished),
            "qbuild.yaml:6:34: hub hub: the folder holds other things (\"notes.txt\"); a directory "
            "hub needs a folder of its own");
}

TEST_F(Lower, AHubThatIsAnAddressIsNotPossibleYet) {
  EXPECT_EQ(problems("    quants: [Q8_0]\n    publish: {repo: acme/b, hub: \"https://h.org\"}\n"),
            "qbuild.yaml:6:34: publishing to https://h.org is not possible yet; give a folder: "
            "hub: ./hub");
  EXPECT_EQ(problems("    quants: [Q8_0]\n    publish: {repo: acme/b}\n"),
            "qbuild.yaml:6:14: publishing to https://huggingface.co is not possible yet; give a "
            "folder: hub: ./hub");
}

TEST_F(Lower, APatternThatIsNearToNothingIsAnsweredWithWhereToLook) {
  EXPECT_EQ(error_of_goals(lowered(kPublished), "Q4"),
            "no target matches \"Q4\"; qbuild plan lists them");
}

TEST_F(Lower, APublicationIsNoGoalOfABuild) {
  const Lowered made = lowered(kPublished);
  EXPECT_EQ(error_of_goals(made, "b:publish"),
            "\"b:publish\" is done by: qbuild publish b:publish");
  EXPECT_EQ(error_of_goals(made, "*:publish"),
            "\"*:publish\" is done by: qbuild publish *:publish");
  EXPECT_THAT(goals(made, "b", WithPublish::kNo), testing::Not(testing::Contains("b:publish")));
}

TEST_F(Lower, AVariantBringsThePublicationOfItsRepository) {
  const Lowered made = lowered(kPublished);
  EXPECT_THAT(goals(made, "b:Q8_0", WithPublish::kOfVariants),
              testing::UnorderedElementsAre("b:Q8_0", "b:publish"));
  EXPECT_THAT(goals(made, "b:Q8_0", WithPublish::kYes), testing::ElementsAre("b:Q8_0"));
  EXPECT_THAT(goals(made, "b:card", WithPublish::kOfVariants), testing::ElementsAre("b:card"));
}

}  // namespace
}  // namespace qbuild::rules
