#include "rules/card.h"

#include <gmock/gmock.h>

#include "formats/model_card.h"
#include "rules/published.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using engine::ActionResult;
using ::testing::HasSubstr;
using ::testing::Not;

class Card : public testing::Test {
 protected:
  ActionResult run() { return make_card_rule()->run(request_, context_); }
  std::string readme() { return run().inline_files.at("README.md"); }
  void use_template(std::string_view text) {
    const fs::path path = folder_.path() / "mine.md";
    write_text(path, text);
    request_.inputs.push_back(file_input("template", path));
  }

  TemporaryFolder folder_;
  TestContext context_;
  ActionRequest request_ = card_request(folder_.path());
};

TEST_F(Card, ListsEveryVariantWithItsNumbers) {
  const std::string card = readme();
  EXPECT_THAT(card, HasSubstr("\n# bard-GGUF\n"));
  EXPECT_THAT(
      card, HasSubstr("| Q8_0 | [bard-Q8_0.gguf](bard-Q8_0.gguf) | 100 B | 8.50 | 41.000 ± 0.250 | "
                      "1.0250 | 512 ± 2 | 42.2 ± 1.5 | 9.10 MB |"));
  EXPECT_THAT(card, HasSubstr("The source itself has a perplexity of 40.000 ± 0.250."));
  EXPECT_THAT(card, HasSubstr("llama-cli -m bard-Q4_K_M.gguf"));
  EXPECT_THAT(card, HasSubstr("```yaml\nversion: 1\nmodels: {}\n```"));
  EXPECT_THAT(card, HasSubstr("| processor | a cpu |"));
}

TEST_F(Card, ItsFrontMatterReadsBack) {
  const Json head = formats::read_front_matter(readme());
  EXPECT_EQ(head.at("license").as_string(), "apache-2.0");
  EXPECT_EQ(head.at("model-index").as_array().size(), 2u);
}

TEST_F(Card, KeepsWhatTheTemplateSawAndWhereItIsFrom) {
  const ActionResult result = run();
  const Json document = Json::parse(result.inline_files.at("document.json"));
  EXPECT_EQ(document.at("variants").as_array().size(), 2u);
  const Json origins = Json::parse(result.inline_files.at("origins.json"));
  EXPECT_EQ(origins.at("variants[name=Q8_0].perplexity").as_string(), "key of quality.Q8_0");
}

TEST_F(Card, TheSameInputsGiveTheSameBytes) {
  EXPECT_EQ(run().inline_files, run().inline_files);
}

TEST_F(Card, AHeldVariantThatWasNeverPublishedIsNotListed) {
  hold(request_, "Q4_K_M");
  EXPECT_THAT(readme(), Not(HasSubstr("Q4_K_M")));
}

TEST_F(Card, AHeldVariantThatWasPublishedKeepsItsRow) {
  const Json row = Json::parse(run().inline_files.at("document.json")).at("variants").as_array()[1];
  hold(request_, "Q4_K_M",
       to_json(PublishedVariant{.name = "Q4_K_M", .record = "old", .files = {}, .card = row}));
  input_of(request_, "quality.Q4_K_M").inline_files["result.json"] =
      quality_result(99, {"heldout.txt"}).dump();
  const std::string card = readme();
  EXPECT_THAT(
      card,
      HasSubstr("| Q4_K_M \\* | [bard-Q4_K_M.gguf](bard-Q4_K_M.gguf) | 60 B | 8.50 | 42.000"));
  EXPECT_THAT(card, HasSubstr("* Q4_K_M: its newer form is withheld (it did not pass a gate)\n"));
  EXPECT_THAT(card, Not(HasSubstr("99.000")));
}

TEST_F(Card, ATemplateOfOnesOwnSeesTheSameDocument) {
  use_template("{{#each variants}}{{name}}={{size}};{{/each}}\n{{> license}}\n");
  EXPECT_THAT(readme(), HasSubstr("Q8_0=100 B;Q4_K_M=60 B;\napache-2.0"));
}

TEST_F(Card, AnUnknownVariableInATemplateIsAnErrorWithItsPlace) {
  use_template("# Title\n\n{{model.titel}}\n");
  const Error error = error_of([&] { (void)run(); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message(), testing::StartsWith("mine.md:3:"));
  EXPECT_THAT(error.message(), HasSubstr("title"));
}

TEST_F(Card, AnUnknownPartialInATemplateIsAnErrorWithItsPlace) {
  use_template("{{> nothing}}\n");
  const Error error = error_of([&] { (void)run(); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message(), testing::StartsWith("mine.md:1:"));
}

TEST_F(Card, ASourceCardThatChangedMeanwhileIsTransient) {
  write_text(folder_.path() / "README.md", "---\nlicense: mit\n---\n");
  const Error error = error_of([&] { (void)run(); });
  EXPECT_EQ(error.kind(), ErrorKind::kTransient);
  EXPECT_EQ(error.message(),
            (folder_.path() / "README.md").string() + " changed since this run began; run again");
}

TEST_F(Card, ASourceWithoutACardIsEnough) {
  input_of(request_, "source").artifact.files.clear();
  input_of(request_, "source").paths.clear();
  const std::string card = readme();
  EXPECT_THAT(card, HasSubstr("| licence | unknown |"));
  EXPECT_EQ(formats::read_front_matter(card).find("license"), nullptr);
}

TEST_F(Card, TheBuiltInTemplatesHaveOneDigest) {
  EXPECT_TRUE(Digest::from_hex(builtin_templates_digest()));
  EXPECT_EQ(builtin_templates_digest(), builtin_templates_digest());
}

}  // namespace
}  // namespace qbuild::rules
