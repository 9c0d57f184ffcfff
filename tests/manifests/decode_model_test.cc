#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/manifest.h"
#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kWhole = R"(version: 1
defaults:
  quants: [Q4_0, Q8_0]
  benchmark: {throughput: {prompt: 8}}
  licenses: [mit]
models:
  a:
    source: ./tiny
    template: chat.jinja
    license: {accept: gemma, reason: "we asked"}
    card: {template: card.md}
    gates: {perplexity_ratio: {max: 1.5}}
    publish: {repo: "acme/{model}-GGUF", hub: ./hub, message: "of {source.name}, {date}"}
)";

TEST(Model, TakesItsPartsFromWhatIsWritten) {
  Project project;
  const Model model = project.model(kWhole);
  EXPECT_EQ(model.name, "a");
  EXPECT_EQ(model.source.name, "tiny");
  EXPECT_EQ(model.source.path.text, "./tiny");
  EXPECT_EQ(model.source.path.path, "/p/tiny");
  EXPECT_EQ(model.source.path.at, (Place{0, 8, 13}));
  EXPECT_EQ(model.chat_template->path, "/p/chat.jinja");
  EXPECT_EQ(model.card_template->path, "/p/card.md");
  EXPECT_EQ(model.license->accept, "gemma");
  EXPECT_EQ(model.license->reason, "we asked");
  EXPECT_THAT(*model.licenses, ElementsAre("mit"));
  EXPECT_EQ(model.benchmark.throughput->prompt, 8u);
  EXPECT_EQ(model.publish->message, "of tiny, {date}");
}

TEST(Model, AGgufFileIsASource) {
  Project project;
  project.put("models/tiny-F16.gguf", "x");
  project.put("x-Q8_0.gguf", "x");
  const Model file =
      project.model("version: 1\nmodels: {a: {source: models/tiny-F16.gguf, quants: Q8_0}}\n");
  EXPECT_TRUE(file.source.is_gguf);
  EXPECT_FALSE(file.source.may_requantize);
  EXPECT_EQ(file.source.path.path, "/p/models/tiny-F16.gguf");
  EXPECT_EQ(file.source.name, "tiny");
  const Model again = project.model(
      "version: 1\nmodels: {a: {source: x-Q8_0.gguf, requantize: true, quants: Q4_0}}\n");
  EXPECT_TRUE(again.source.may_requantize);
  EXPECT_EQ(again.source.name, "x");
}

TEST(Model, TheModelsLicencesCountBeforeThoseOfDefaultsAndOfTheManifest) {
  Project project;
  const std::string top = "licenses: [mit]\n";
  const std::string defaults = "defaults: {licenses: [gemma]}\n";
  const std::string model = "version: 1\nmodels: {a: {source: tiny, quants: Q8_0}}\n";
  EXPECT_EQ(project.model(model).licenses, std::nullopt);
  EXPECT_THAT(*project.model(model + top).licenses, ElementsAre("mit"));
  EXPECT_THAT(*project.model(model + top + defaults).licenses, ElementsAre("gemma"));
  const Model own = project.model(
      "version: 1\nmodels: {a: {source: tiny, quants: Q8_0, licenses: [x]}}\n" + top + defaults);
  EXPECT_THAT(*own.licenses, ElementsAre("x"));
}

TEST(Model, FalseSwitchesOffWhatDefaultsSay) {
  Project project;
  const Model model = project.model(R"(version: 1
defaults:
  quants: Q8_0
  licenses: [mit]
  benchmark: {throughput: {prompt: 8}, perplexity: {text: text.txt}}
  gates: {perplexity: {max: 3}, bits_per_weight: {max: 9}}
  publish: {repo: acme/a}
models:
  a:
    source: tiny
    licenses: false
    benchmark: {throughput: false}
    gates: {perplexity: false}
    publish: false
)");
  EXPECT_EQ(model.licenses, std::nullopt);
  EXPECT_FALSE(model.benchmark.throughput);
  EXPECT_EQ(model.benchmark.texts.size(), 1u);
  ASSERT_EQ(model.gates.size(), 1u);
  EXPECT_EQ(model.gates[0].metric, "bits_per_weight");
  EXPECT_FALSE(model.publish);
}

TEST(Model, AListOfTheModelReplacesTheListOfDefaults) {
  Project project;
  const Model model = project.model(
      "version: 1\ndefaults: {quants: [Q4_0, Q8_0]}\nmodels: {a: {source: tiny, quants: "
      "[Q6_K]}}\n");
  ASSERT_EQ(model.variants.size(), 1u);
  EXPECT_EQ(model.variants[0].name, "Q6_K");
}

TEST(Model, EverythingThatIsWrongIsToldAtOnceInTheOrderOfTheFile) {
  Project project;
  const std::string errors = project.errors(R"(version: 1
models:
  a:
    source: nowhere
    quants: [Q4_K_X, {type: Q8_1}]
    benchmark: {perplexity: {text: lost.txt, context: 1}}
    publish: {repo: "{modle}/x", layuot: flat}
)");
  EXPECT_EQ(errors,
            "qbuild.yaml:4:13: the source \"nowhere\" does not exist: there is no nowhere\n"
            "qbuild.yaml:5:14: unknown quant \"Q4_K_X\"; did you mean \"Q4_K_M\"?\n"
            "qbuild.yaml:5:29: unknown type \"Q8_1\"; did you mean \"Q8_0\"?\n"
            "qbuild.yaml:6:36: the text \"lost.txt\" does not exist: there is no lost.txt\n"
            "qbuild.yaml:6:55: \"context\" must be from 8 to 1048576, not 1\n"
            "qbuild.yaml:7:34: unknown key in publish: \"layuot\"; did you mean \"layout\"?");
}

const BrokenManifest kBroken[] = {
    {"NoSource",
     R"(version: 1
models:
  a: {quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:3: the model "a" needs the key "source")"},
    {"NoQuants",
     R"(version: 1
models:
  a: {source: tiny}
)",
     R"(qbuild.yaml:3:3: the model "a" needs the key "quants")"},
    {"Address",
     R"(version: 1
models:
  a: {source: 'hf://acme/tiny', quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: "hf://acme/tiny": downloading is not possible yet; fetch the model and give its folder or GGUF file as the source)"},
    {"Tilde",
     R"(version: 1
models:
  a: {source: ~/tiny, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: "~/tiny": "~" is not expanded; write the whole path
qbuild.yaml:3:15: the source "~/tiny" does not exist: there is no ~/tiny)"},
    {"UnknownVariable",
     R"(version: 1
models:
  a: {source: '{modle}', quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: unknown variable "modle"; did you mean "model"?)"},
    {"VariableOfAnotherPlace",
     R"(version: 1
models:
  a: {source: '{variant}', quants: [Q8_0]}
)",
     "qbuild.yaml:3:15: the variable {variant} cannot be used here"},
    {"RootFolder",
     R"(version: 1
models:
  a: {source: /, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: "/" cannot be a source: give the folder of a checkpoint, or a GGUF file)"},
};

class ModelErrors : public BrokenManifestTest {};

TEST_P(ModelErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, ModelErrors, testing::ValuesIn(kBroken), BrokenManifestName());

TEST(BaseModel, IsARepository) {
  Project project;
  EXPECT_EQ(project.model(with_model("    quants: [Q8_0]\n    card: {base_model: acme/tiny}\n"))
                .base_model,
            "acme/tiny");
  EXPECT_THAT(project.errors(with_model("    quants: [Q8_0]\n    card: {base_model: tiny}\n")),
              testing::StartsWith("qbuild.yaml:6:24: \"tiny\" is no repository: "));
}

}  // namespace
}  // namespace qbuild::manifests
