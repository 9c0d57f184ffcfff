#include <gmock/gmock.h>

#include "tests/rules/lowered_project.h"

namespace qbuild::rules {
namespace {

class LowerChecks : public LoweredProject {
 protected:
  std::string told(std::string_view lines) {
    return problems("    quants: [Q8_0]\n" + std::string(lines));
  }
};

TEST_F(LowerChecks, TokensBeyondTheModelsPositionsAreTold) {
  EXPECT_EQ(told("    benchmark: {perplexity: {text: text.txt, context: 2048}}\n"),
            "qbuild.yaml:6:55: a context of 2048 tokens is beyond the 1024 positions of bard-llama "
            "(max_position_embeddings)");
  EXPECT_EQ(told("    benchmark: {throughput: {prompt: 1000, generate: 25}}\n"),
            "qbuild.yaml:6:54: a prompt of 1000 and 25 generated tokens are beyond the 1024 "
            "positions of bard-llama (max_position_embeddings)");
  EXPECT_NO_THROW((void)lowered(
      "    quants: [Q8_0]\n    benchmark: {throughput: {prompt: 1000, generate: 24}}\n"));
}

TEST_F(LowerChecks, ATextThatIsNoneIsTold) {
  write("text.txt", "");
  EXPECT_EQ(told("    benchmark: {perplexity: {text: text.txt}}\n"),
            "qbuild.yaml:6:36: the text text.txt is empty");
  write("text.txt", "\xff\xfe caf\xe9");
  EXPECT_EQ(told("    benchmark: {perplexity: {text: text.txt}}\n"),
            "qbuild.yaml:6:36: the text text.txt is no UTF-8; convert it");
}

TEST_F(LowerChecks, AGateOnWhatNothingMeasuresIsTold) {
  EXPECT_EQ(told("    gates: {perplexity_ratio: {max: 1.03}}\n"),
            "qbuild.yaml:6:13: the gate \"perplexity_ratio\" needs what is not measured; write "
            "benchmark: {perplexity: {text: FILE}}");
  EXPECT_EQ(told("    gates: {prompt_tokens_per_second: {min: 1}}\n"),
            "qbuild.yaml:6:13: the gate \"prompt_tokens_per_second\" needs what is not measured; "
            "write benchmark: {throughput: {repeat: 5}}");
  EXPECT_NO_THROW((void)lowered("    quants: [Q8_0]\n    gates: {bits_per_weight: {max: 9}}\n"));
}

TEST_F(LowerChecks, ACardsTemplateIsReadBeforeAnythingRuns) {
  const std::string lines =
      "    card: {template: my.md}\n    publish: {repo: acme/b, hub: ./hub}\n";
  write("my.md", "# {{model.name}}\n{{#each variants}}\n");
  EXPECT_THAT(told(lines), testing::StartsWith("qbuild.yaml:6:22: my.md:2:1: "));
  write("my.md", "{{> licence}}\n");
  EXPECT_EQ(told(lines),
            "qbuild.yaml:6:22: my.md: there is no partial \"licence\"; there are card, evaluation, "
            "license, made, usage, variants");
  write("my.md", "{{> license}}\n");
  EXPECT_NO_THROW((void)lowered("    quants: [Q8_0]\n" + lines));
}

}  // namespace
}  // namespace qbuild::rules
