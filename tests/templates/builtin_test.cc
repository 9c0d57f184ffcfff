#include "templates/builtin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/json.h"
#include "templates/template.h"

namespace qbuild::templates {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::filesystem::path kFolder = std::filesystem::path(QBUILD_SOURCE_DIR) / "templates/card";

std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

Json example() {
  return Json::parse(file_text(kFolder / "document.example.json"));
}

std::string card(const Json& document) {
  const PartialLoader partials = [](std::string_view name) -> std::optional<std::string> {
    const auto text = builtin_template(name);
    if (!text) return std::nullopt;
    return std::string(*text);
  };
  return Template::parse(builtin_template(kCardTemplate).value(), "card")
      .render(document, {}, partials);
}

TEST(Builtin, HoldsEveryFileOfTheFolderUnchanged) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(".mustache")) continue;
    ++files;
    EXPECT_EQ(builtin_template(file.substr(0, file.find('.'))), file_text(entry.path())) << file;
  }
  EXPECT_EQ(builtin_template_names().size(), files);
}

TEST(Builtin, ListsItsNamesInOrder) {
  EXPECT_THAT(builtin_template_names(),
              testing::ElementsAre("card", "evaluation", "license", "made", "usage", "variants"));
}

TEST(Builtin, KnowsNoOtherName) {
  EXPECT_FALSE(builtin_template("card.md"));
}

TEST(Card, ShowsEveryVariantWithItsNumbers) {
  const std::string text = card(example());
  EXPECT_THAT(text,
              HasSubstr("| Q8_0 | [bard-llama-Q8_0.gguf](bard-llama-Q8_0.gguf) | 4.36 MB | 8.50 | "
                        "35.617 ± 0.412 | 0.9998 | 5120 ± 31 | 1210 ± 9 | 9.1 MB |\n"));
  EXPECT_THAT(text, HasSubstr("The source itself has a perplexity of 35.625 ± 0.412."));
}

TEST(Card, SaysNotMeasuredWhereANumberIsMissing) {
  EXPECT_THAT(card(example()),
              HasSubstr("| 35.684 ± 0.413 | 1.0017 | not measured | - | not measured |\n"));
}

TEST(Card, LeavesOutColumnsThatNoVariantHas) {
  Json document = example();
  document["shows"]["speed"] = false;
  document["shows"]["memory"] = false;
  const std::string text = card(document);
  EXPECT_THAT(
      text, HasSubstr("| variant | file | size | bits per weight | perplexity | ratio to source |\n"
                      "|---|---|--:|--:|--:|--:|\n| Q8_0 |"));
  EXPECT_THAT(text, Not(HasSubstr("tokens/s")));
}

TEST(Card, GivesCommandsThatWorkAsPrinted) {
  EXPECT_THAT(card(example()), HasSubstr("```sh\nllama-cli -m bard-llama-Q4_K_M.gguf\n```\n"));
  EXPECT_THAT(card(example()), Not(HasSubstr("-hf")));
  Json document = example();
  document["repo"]["url"] = "https://huggingface.co/acme/bard-llama-GGUF";
  EXPECT_THAT(card(document), HasSubstr("```sh\nllama-cli -hf acme/bard-llama-GGUF:Q4_K_M\n```\n"));
}

TEST(Card, NamesNoCommandForARepositoryWithoutGguf) {
  Json document = example();
  document["example"] = nullptr;
  EXPECT_THAT(card(document), HasSubstr("No variant is a GGUF file;"));
  EXPECT_THAT(card(document), Not(HasSubstr("llama-cli")));
}

TEST(Card, HasATableForEachFurtherText) {
  Json document = example();
  document["more_texts"] = Json::parse(
      R"([{"name": "code", "results": [{"name": "Q8_0", "value": "9.1", "error": "0.2", "ratio": null}]}])");
  EXPECT_THAT(
      card(document),
      HasSubstr("\nPerplexity on the text \"code\":\n\n| variant | perplexity | ratio to source |\n"
                "|---|--:|--:|\n| Q8_0 | 9.1 ± 0.2 | - |\n"));
}

TEST(Card, HoldsTheManifestAndTheVersion) {
  EXPECT_THAT(card(example()),
              HasSubstr("With qbuild 0.1.0, from this manifest:\n\n```yaml\nversion: 1\n"));
  EXPECT_THAT(card(example()), HasSubstr("    quants: [Q8_0, Q4_K_M]\n```\n"));
}

TEST(Card, MarksWhatWasPublishedEarlier) {
  Json document = example();
  document["shows"]["published_earlier"] = true;
  document["variants"].as_array()[1]["published_earlier"] =
      Json::object({{"reason", "perplexity ratio 1.04 is above 1.03"}});
  const std::string text = card(document);
  EXPECT_THAT(text, HasSubstr("| Q4_K_M \\* |"));
  EXPECT_THAT(text,
              HasSubstr("left as it was:\n\n* Q4_K_M: perplexity ratio 1.04 is above 1.03\n"));
}

TEST(Card, SaysThatNothingWasMeasured) {
  Json document = example();
  document["benchmark"] = nullptr;
  document["source"]["perplexity"] = nullptr;
  document["machine"] = nullptr;
  for (const char* const column : {"perplexity", "speed", "memory"})
    document["shows"][column] = false;
  for (Json& variant : document["variants"].as_array())
    for (const char* const number : {"perplexity", "speed", "memory"}) variant[number] = nullptr;
  EXPECT_THAT(card(document), HasSubstr("Nothing was measured for this repository.\n"));
}

TEST(Card, LinksTheSourceAndTheLicenceWhereTheyHaveAPage) {
  Json document = example();
  document["model"]["base_model"] = "acme/bard";
  document["model"]["source_url"] = "https://huggingface.co/acme/bard";
  document["model"]["license_link"] = "https://example.org/licence";
  const std::string text = card(document);
  EXPECT_THAT(
      text,
      HasSubstr(
          "Quantized variants of [acme/bard](https://huggingface.co/acme/bard), ready to run."));
  EXPECT_THAT(text, HasSubstr("| licence | [apache-2.0](https://example.org/licence) |\n"));
}

TEST(Card, HasNoTagLeftAndNoTwoEmptyLinesInARow) {
  const std::string text = card(example());
  EXPECT_THAT(text, Not(HasSubstr("{{")));
  EXPECT_THAT(text, Not(HasSubstr("\n\n\n")));
  EXPECT_TRUE(text.ends_with("\n"));
}

}  // namespace
}  // namespace qbuild::templates
