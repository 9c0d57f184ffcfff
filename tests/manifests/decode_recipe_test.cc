#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/manifest.h"
#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

using testing::ElementsAre;

std::vector<LayerRange> layers_of(const std::string& layers) {
  Project project;
  const Model model = project.model(with_model(
      "    quants: [{name: x, base: Q8_0, rules: [{match: a, type: Q6_K, layers: " + layers +
      "}]}]\n"));
  return model.variants.at(0).rules.at(0).layers;
}

TEST(Layers, MayBeSingleOnesAndRangesFromBothEnds) {
  EXPECT_THAT(layers_of("'0-3,-4..-1'"), ElementsAre(LayerRange{0, 3}, LayerRange{-4, -1}));
  EXPECT_THAT(layers_of("7"), ElementsAre(LayerRange{7, 7}));
  EXPECT_THAT(layers_of("-1"), ElementsAre(LayerRange{-1, -1}));
  EXPECT_THAT(layers_of("'1, 3..-2'"), ElementsAre(LayerRange{1, 1}, LayerRange{3, -2}));
}

TEST(Rules, BracesOfAnExpressionAreNoVariables) {
  Project project;
  const Model model = project.model(with_model(
      "    quants: [{name: x, base: Q8_0, rules: [{match: 'blk\\.[0-9]{2}\\.', type: Q5_0}]}]\n"));
  EXPECT_EQ(model.variants.at(0).rules.at(0).match, "blk\\.[0-9]{2}\\.");
  EXPECT_EQ(model.variants.at(0).rules.at(0).type, DType::kQ5_0);
}

const BrokenManifest kBroken[] = {
    {"BadExpression",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, base: Q8_0, rules: [{match: 'a(', type: Q4_K}]}]}
)",
     R"(qbuild.yaml:3:68: "a(" is no regular expression (ECMAScript without back-references))"},
    {"RecipeAsType",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, base: Q8_0, rules: [{match: a, type: Q4_K_M}]}]}
)",
     R"(qbuild.yaml:3:77: unknown type "Q4_K_M"; did you mean "Q4_K"?)"},
    {"NoType",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, base: Q8_0, rules: [{match: a}]}]}
)",
     R"(qbuild.yaml:3:60: a rule needs the key "type")"},
    {"LayersBackwards",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, base: Q8_0, rules: [{match: a, type: Q6_K, layers: 5-2}]}]}
)",
     R"(qbuild.yaml:3:91: "5-2" is no list of layers; write them as in "0-3,-4..-1")"},
    {"LayersOfWords",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, base: Q8_0, rules: [{match: a, type: Q6_K, layers: 'first,last'}]}]}
)",
     R"(qbuild.yaml:3:91: "first,last" is no list of layers; write them as in "0-3,-4..-1")"},
    {"LayersOfNothing",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, base: Q8_0, rules: [{match: a, type: Q6_K, layers: '1,,2'}]}]}
)",
     R"(qbuild.yaml:3:91: "1,,2" is no list of layers; write them as in "0-3,-4..-1")"},
    {"UnknownRuleKey",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: x, base: Q8_0, rules: [{match: a, type: Q6_K, layer: 1}]}]}
)",
     R"(qbuild.yaml:3:83: unknown key in a rule: "layer"; did you mean "layers"?)"},
};

class RecipeErrors : public BrokenManifestTest {};

TEST_P(RecipeErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, RecipeErrors, testing::ValuesIn(kBroken), BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
