#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/manifest.h"
#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_of(const Model& model) {
  std::vector<std::string> names;
  for (const Variant& variant : model.variants) names.push_back(variant.name);
  return names;
}

TEST(Quants, ARecipeIsItsOwnVariant) {
  Project project;
  const Model model = project.model(with_model("    quants: [Q4_K_M, F32]\n"));
  EXPECT_THAT(names_of(model), ElementsAre("Q4_K_M", "F32"));
  EXPECT_EQ(model.variants[0].recipe, "Q4_K_M");
  EXPECT_EQ(model.variants[0].method, Method::kGguf);
  EXPECT_EQ(model.variants[0].declaration, "Q4_K_M");
  EXPECT_EQ(model.variants[0].at, (Place{0, 5, 14}));
  EXPECT_TRUE(model.variants[0].is_gguf_file);
}

TEST(Quants, ASetStandsForItsQuantsAlsoInsideOfSets) {
  Project project;
  const std::string sets = "sets: {small: [Q4_0], house: [small, {type: Q6_K, name: my-Q6_K}]}\n";
  EXPECT_THAT(names_of(project.model(with_model("    quants: house\n") + sets)),
              ElementsAre("Q4_0", "my-Q6_K"));
  EXPECT_THAT(names_of(project.model(with_model("    quants: [Q8_0, house]\n") + sets)),
              ElementsAre("Q8_0", "Q4_0", "my-Q6_K"));
}

TEST(Quants, ATypeMayHaveANameOfItsOwn) {
  Project project;
  const Model model = project.model(with_model("    quants: [{type: Q8_0, name: 'x-Q8_0'}]\n"));
  EXPECT_EQ(model.variants[0].name, "x-Q8_0");
  EXPECT_EQ(model.variants[0].recipe, "Q8_0");
  EXPECT_EQ(model.variants[0].declaration, "{type: Q8_0, name: x-Q8_0}");
}

TEST(Quants, RulesKeepTheirOrder) {
  Project project;
  const Model model = project.model(with_model(R"(    quants:
      - name: smol-Q4_K_M
        base: Q4_K_M
        rules:
          - {match: "attn_|_shexp", type: Q8_0}
          - {match: ffn_down, layers: "0-3,-4..-1", type: Q6_K}
)"));
  const Variant& variant = model.variants.at(0);
  EXPECT_EQ(variant.recipe, "Q4_K_M");
  ASSERT_EQ(variant.rules.size(), 2u);
  EXPECT_EQ(variant.rules[0].match, "attn_|_shexp");
  EXPECT_EQ(variant.rules[1].type, DType::kQ6_K);
  EXPECT_EQ(variant.declaration,
            "{name: smol-Q4_K_M, base: Q4_K_M, rules: [{match: \"attn_|_shexp\", type: Q8_0}, "
            "{match: ffn_down, layers: \"0-3,-4..-1\", type: Q6_K}]}");
}

TEST(Quants, EffortIsTheDefaultOneUnlessTheBestIsAskedFor) {
  Project project;
  const Model model = project.model(with_model(
      "    quants: [Q8_0, {type: Q4_K_M, effort: best}, {type: Q6_K, effort: default}]\n"));
  EXPECT_EQ(model.variants.at(0).effort, Effort::kDefault);
  EXPECT_EQ(model.variants.at(1).effort, Effort::kBest);
  EXPECT_EQ(model.variants.at(1).name, "Q4_K_M");
  EXPECT_EQ(model.variants.at(1).declaration, "{type: Q4_K_M, effort: best}");
  EXPECT_EQ(model.variants.at(2).effort, Effort::kDefault);
}

TEST(Quants, AnEffortOfAnotherNameOrOfACommandIsRefused) {
  Project project;
  EXPECT_THAT(project.errors(with_model("    quants: [{type: Q8_0, effort: beast}]\n")),
              HasSubstr(R"(unknown effort "beast"; did you mean "best"?)"));
  EXPECT_THAT(project.errors(with_model("    quants: [{method: command, effort: best, run: [x], "
                                        "outputs: ['*'], name: y}]\n")),
              HasSubstr(R"("effort" does not go with "method")"));
}

TEST(Quants, OneByImportanceNeedsTheMatrixOfItsModel) {
  Project project;
  const std::string lines = "    quants: [Q8_0, {type: Q4_K_M, imatrix: true}]\n";
  project.files().put("/p/a.gguf", "x");
  const Model model = project.model(with_model(lines + "    imatrix: a.gguf\n"));
  EXPECT_FALSE(model.variants.at(0).uses_imatrix);
  EXPECT_TRUE(model.variants.at(1).uses_imatrix);
  EXPECT_EQ(model.imatrix->path, "/p/a.gguf");
  // Nobody asks for it.
  EXPECT_EQ(project.errors(with_model("    quants: [Q8_0]\n    imatrix: b.gguf\n")), "");
  EXPECT_THAT(project.errors(with_model(lines)),
              HasSubstr("\"Q4_K_M\" wants an importance matrix, and the model \"a\" has none; give "
                        "it the key \"imatrix\""));
  EXPECT_THAT(
      project.errors(with_model(lines + "    imatrix: false\n") + "defaults: {imatrix: a.gguf}\n"),
      HasSubstr("wants an importance matrix"));
  EXPECT_THAT(project.errors(with_model(lines + "    imatrix: b.gguf\n")),
              HasSubstr("the importance matrix \"b.gguf\" does not exist"));
}

TEST(Quants, SetsThatMultiplyAreStopped) {
  Project project;
  std::string sets = "sets:\n  s0: [Q8_0]\n";
  for (int i = 1; i < 40; ++i)
    sets += "  s" + std::to_string(i) + ": [s" + std::to_string(i - 1) + ", s" +
            std::to_string(i - 1) + "]\n";
  EXPECT_THAT(project.errors(with_model("    quants: s39\n") + sets),
              HasSubstr("more than 1000 variants in one model"));
}

const BrokenManifest kBroken[] = {
    {"UnknownNearOne",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q4_K_X]}
)",
     R"(qbuild.yaml:3:30: unknown quant "Q4_K_X"; did you mean "Q4_K_M"?)"},
    {"UnknownFarFromAll",
     R"(version: 1
models:
  a: {source: tiny, quants: [zebra, Q8_0]}
)",
     R"(qbuild.yaml:3:30: unknown quant "zebra"; known: F32, F16, BF16, Q8_0, Q4_0, Q4_K_M, Q4_K_S, Q6_K, Q5_K_M, Q5_K_S, Q5_0, Q5_1, Q4_1, Q3_K_M, Q3_K_L, Q3_K_S, Q2_K, IQ4_XS, IQ4_NL, IQ3_M, IQ3_S, IQ3_XS, IQ3_XXS, IQ2_M, IQ2_S, IQ2_XS, IQ2_XXS, IQ1_M, IQ1_S, Q2_K_S, MXFP4_MOE, NVFP4, TQ2_0, TQ1_0, Q1_0)"},
    {"AnotherCase",
     R"(version: 1
models:
  a: {source: tiny, quants: q4_k_m}
)",
     R"(qbuild.yaml:3:29: unknown quant "q4_k_m"; did you mean "Q4_K_M"?)"},
    {"TwoUnknown",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q4_K_X, Q9_0]}
)",
     R"(qbuild.yaml:3:30: unknown quant "Q4_K_X"; did you mean "Q4_K_M"?
qbuild.yaml:3:38: unknown quant "Q9_0"; did you mean "Q8_0"?)"},
    {"Twice",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0, Q8_0]}
)",
     R"(qbuild.yaml:3:36: the variant "Q8_0" stands twice; the first is at qbuild.yaml:3:30)"},
    {"NameOfAStep",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: card, type: Q6_K}]}
)",
     R"(qbuild.yaml:3:30: "card" is the name of a step; give the variant another one)"},
    {"NamesThatDifferByCase",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, type: Q6_K}, {name: X, type: Q8_0}]}
)",
     R"(qbuild.yaml:3:53: the variant "X" stands twice; the first is at qbuild.yaml:3:30)"},
    {"NameOfAnotherRecipe",
     R"(version: 1
models:
  a: {source: tiny, quants: [{type: Q8_0, name: Q6_K}]}
)",
     R"(qbuild.yaml:3:30: "Q6_K" is the name of another recipe than this variant's)"},
    {"BadName",
     R"(version: 1
models:
  a: {source: tiny, quants: [{type: Q8_0, name: 'a b'}]}
)",
     R"(qbuild.yaml:3:49: "a b" cannot be the name of a variant: it may have letters, digits, ".", "_" and "-" only)"},
    {"UnknownType",
     R"(version: 1
models:
  a: {source: tiny, quants: [{type: Q4_K}]}
)",
     R"(qbuild.yaml:3:37: unknown type "Q4_K"; did you mean "Q4_0"?)"},
    {"OnlyAName",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x}]}
)",
     R"(qbuild.yaml:3:30: a quant needs "type", or "base" with "rules", or "method")"},
    {"BaseWithoutRules",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, base: Q8_0}]}
)",
     R"(qbuild.yaml:3:30: "base" goes with "rules"; for the recipe itself write "type")"},
    {"RulesWithoutBase",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, rules: [{match: a, type: Q8_0}]}]}
)",
     R"(qbuild.yaml:3:30: "rules" need the recipe that they change: "base")"},
    {"RulesWithoutName",
     R"(version: 1
models:
  a: {source: tiny, quants: [{base: Q8_0, rules: [{match: a, type: Q8_0}]}]}
)",
     R"(qbuild.yaml:3:30: a recipe with "rules" needs a "name" of its own)"},
    {"RulesWithType",
     R"(version: 1
models:
  a: {source: tiny, quants: [{type: Q8_0, rules: [{match: a, type: Q8_0}]}]}
)",
     R"(qbuild.yaml:3:30: "type" is a recipe as it is; to change one, write "base" and "rules")"},
    {"MethodOfALaterIssue",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: gptq, bits: 4}]}
)",
     R"(qbuild.yaml:3:39: "gptq" is not possible yet; possible are command
qbuild.yaml:3:45: "bits" is not possible yet; possible are type, name, base, rules, effort, imatrix, method, run, outputs, inputs, environment, resources, tool)"},
    {"CommandKeyWithoutMethod",
     R"(version: 1
models:
  a: {source: tiny, quants: [{type: Q8_0, run: [x]}]}
)",
     R"(qbuild.yaml:3:43: "run" goes only with "method: command")"},
    {"RecipeKeyWithMethod",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, type: Q8_0, run: [x], outputs: [y]}]}
)",
     R"(qbuild.yaml:3:48: "type" does not go with "method")"},
    {"UnknownSet",
     R"(version: 1
sets: {house: [Q8_0]}
models:
  a: {source: tiny, quants: hose}
)",
     R"(qbuild.yaml:4:29: unknown quant "hose"; did you mean "house"?)"},
    {"UnknownInUnusedSet",
     R"(version: 1
sets: {house: [Q8_0, hous]}
models:
  a: {source: tiny, quants: Q8_0}
)",
     R"(qbuild.yaml:2:22: unknown quant "hous"; did you mean "house"?)"},
    {"SetWithTheNameOfARecipe",
     R"(version: 1
sets: {Q8_0: [Q6_K]}
models:
  a: {source: tiny, quants: Q8_0}
)",
     R"(qbuild.yaml:2:8: "Q8_0" is the name of a recipe; give the set another one)"},
    {"SetCycle",
     R"(version: 1
sets: {x: [y], y: [x]}
models:
  a: {source: tiny, quants: x}
)",
     R"(qbuild.yaml:2:20: a set inside of itself: "x" -> "y" -> "x")"},
};

class QuantErrors : public BrokenManifestTest {};

TEST_P(QuantErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, QuantErrors, testing::ValuesIn(kBroken), BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
