// Attacks by what a few lines become: matrices, sets of sets, defaults under ten thousand models,
// variables.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/limits.h"
#include "tests/manifests/hostile.h"

namespace qbuild::manifests {
namespace {

std::string with_matrix(const std::string& name, const std::string& matrix) {
  return "version: 1\nmodels:\n  \"" + name +
         "\":\n    source: tiny\n    quants: Q8_0\n    matrix: {" + matrix + "}\n";
}

// Ten thousand models with these defaults.
std::string with_defaults(const std::string& lines) {
  return "version: 1\n" + lines + "models:\n" + numbered("  m", kMaxModels, ": {source: tiny}\n");
}

std::string axis(const std::string& name, std::size_t values) {
  return name + ": [" + numbered("v", values, ", ") + "]";
}

// Each set holds the next one `times`.
std::string sets_of_sets(std::size_t sets, std::size_t times) {
  std::string text = "sets:\n";
  for (std::size_t i = 0; i < sets; ++i)
    text += "  s" + std::to_string(i) + ": [" +
            repeated("s" + std::to_string(i + 1) + ", ", times) + "]\n";
  return text + "  s" + std::to_string(sets) + ": [Q8_0]\n";
}

// Fifteen variables of one value each, and one of many; excludes that differ from what is there in
// the last variable only.
std::string near_misses() {
  std::string name = "m";
  std::string variables;
  std::string exclude;
  for (int i = 0; i < 15; ++i) {
    const std::string variable = "x" + std::to_string(i);
    name += "-{" + variable + "}";
    variables += variable + ": [q, r], ";
    exclude += variable + ": q, ";
    if (i > 5) variables.replace(variables.size() - 8, 6, "[q]   ");
  }
  return with_matrix(name + "-{z}", variables + axis("z", 150) + ", exclude: [" +
                                        repeated("{" + exclude + "z: v7}, ", 1000) + "]");
}

const HostileManifest kRows[] = {
    // Matrices.
    {"MatrixOfBillions",
     [] {
       return with_matrix("m-{a}-{b}-{c}",
                          axis("a", 5000) + ", " + axis("b", 5000) + ", " + axis("c", 5000));
     },
     "qbuild.yaml:6:13: the matrix has more than 10000 combinations"},
    {"MatrixOfAThousandDoublings",
     [] { return with_matrix("m", numbered("x", 1000, ": [0, 1], ")); },
     "qbuild.yaml:6:13: the matrix has more than 10000 combinations"},
    {"MatrixOfManyVariablesOfOneValue",
     [] { return with_matrix("m-{a}", numbered("x", 20000, ": [q], ") + axis("a", 10000)); },
     "qbuild.yaml:6:164: a matrix has at most 16 variables"},
    {"MatrixWithAMegabyteAsValue",
     [] {
       return with_matrix("m-{a}-{b}",
                          "b: [" + std::string(1'000'000, 'x') + "], " + axis("a", 10000));
     },
     R"(qbuild.yaml:6:18: the text for "b" is longer than 8192 bytes)"},
    {"MatrixWithAValueTooLongForAName",
     [] {
       return with_matrix("m-{a}-{b}", "b: [" + std::string(8000, 'x') + "], " + axis("a", 10000));
     },
     R"(qbuild.yaml:6:18: the value "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..." is longer than 96 characters, too long for a part of a name)"},
    {"MatrixWithAVariableOfThreeHundredBytes",
     [] { return with_matrix("m", std::string(300, 'x') + ": [1, 2]"); },
     R"(qbuild.yaml:6:14: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..." is no name for a variable: it is longer than 96 characters)"},
    {"MatrixWithTenThousandValuesTwice",
     [] {
       return with_matrix("m-{a}", "a: [" + repeated(std::string(90, 'v') + ", ", 2) +
                                       numbered(std::string(90, 'v'), 9990, ", ") + "]");
     },
     R"(qbuild.yaml:6:110: the value "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv..." stands twice)"},
    {"MatrixOfMoreExcludesThanAnybodyWrites",
     [] {
       return with_matrix("m-{a}",
                          axis("a", 2) + ", exclude: [" + repeated("{a: v0}, ", 20000) + "]");
     },
     "qbuild.yaml:6:38: more than 1000 excludes"},
    {"MatrixWhoseNamesAreOne", [] { return with_matrix("m", axis("a", 10000)); },
     R"(qbuild.yaml:3:3: the name "m" must contain every variable of its matrix; {a} is missing)"},
    // Models, sets, defaults.
    {"ModelsWithoutEnd",
     [] {
       return "version: 1\ndefaults: {quants: Q8_0}\nmodels:\n" +
              numbered("  m", 20000, ": {source: tiny}\n");
     },
     "qbuild.yaml:10004:3: more than 10000 models; take several manifests"},
    {"SetsThatDouble",
     [] { return sets_of_sets(60, 2) + "version: 1\nmodels: {m: {source: tiny, quants: s0}}\n"; },
     R"(qbuild.yaml:62:9: more than 1000 variants in one model
qbuild.yaml:62:9: the variant "Q8_0" stands twice; the first is at qbuild.yaml:62:9)"},
    {"SetsInAChain",
     [] { return sets_of_sets(999, 1) + with_defaults("defaults: {quants: s0}\n"); },
     "qbuild.yaml:65:9: sets of sets are deeper than 64 levels"},
    {"SetsWithoutEnd",
     [] {
       return "sets: {" + numbered("s", 1001, ": [Q8_0], ") +
              "}\nversion: 1\nmodels: {m: {source: tiny, quants: s0}}\n";
     },
     "qbuild.yaml:1:7: more than 1000 sets"},
    {"TwoThousandVariants",
     [] {
       return with_model("    quants:\n" + numbered("    - {type: Q8_0, name: v", 2000, "}\n"));
     },
     "qbuild.yaml:1006:7: more than 1000 variants in one model"},
    {"AHugeCommandUnderEveryModel",
     [] {
       return with_defaults("defaults: {quants: [{method: command, name: c, outputs: [y], run: [" +
                            repeated("x, ", 20000) + "]}]}\n");
     },
     "qbuild.yaml:2:21: the models with the defaults under them are more than 256 MiB; take "
     "several manifests"},
    {"AnErrorUnderEveryModel", [] { return with_defaults("defaults: {quants: [Q9_0]}\n"); },
     R"(qbuild.yaml:2:21: unknown quant "Q9_0"; did you mean "Q8_0"?)"},
    // Variables: what replaces one is not read again.
    {"VariablesThatNameEachOther",
     [] {
       return std::string(
           "version: 1\nmodels:\n  'm-{a}-{b}': {source: tiny, quants: Q8_0, matrix: {a: "
           "['{b}{b}'], "
           "b: ['{a}{a}']}}\n");
     },
     R"(qbuild.yaml:3:3: "m-{b}{b}-{a}{a}" cannot be the name of a model: it may have letters, digits, ".", "_" and "-" only)"},
    {"VariablesThatGrowTheText",
     [] {
       return with_model("    quants: Q8_0\n  " + std::string(90, 'm') +
                         ": {source: tiny, quants: Q8_0, publish: {repo: acme/x, hub: hub, "
                         "message: '" +
                         repeated("{model}", 1000) + "'}}\n");
     },
     "qbuild.yaml:6:167: with its variables replaced the text is longer than 8192 bytes"},
    {"BracesWithoutEnd",
     [] { return with_model("    quants: ['" + std::string(8000, '{') + "Q8_0']\n"); },
     R"(qbuild.yaml:5:14: unknown quant "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{..."; known: F32, F16, BF16, Q8_0, Q4_0, Q4_K_M, Q4_K_S, Q6_K, Q5_K_M, Q5_K_S, Q5_0, Q5_1, Q4_1, Q3_K_M, Q3_K_L, Q3_K_S, Q2_K, IQ4_XS, IQ4_NL, IQ3_M, IQ3_S, IQ3_XS, IQ3_XXS, IQ2_M, IQ2_S, IQ2_XS, IQ2_XXS, IQ1_M, IQ1_S, Q2_K_S, MXFP4_MOE, NVFP4, TQ2_0, TQ1_0, Q1_0)"},
    {"VariableOfThousandsOfBytes",
     [] { return with_model("    quants: ['{" + std::string(8000, 'v') + "}']\n"); },
     R"(qbuild.yaml:5:14: unknown variable "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv..."; known: model)"},
};

class HostileExpansion : public HostileManifestTest {};

TEST_P(HostileExpansion, IsAnsweredInBounds) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, HostileExpansion, testing::ValuesIn(kRows),
                         HostileManifestName());

// Where the memory ends depends on how large our structures are.
constexpr const char* kTooMuchMemory =
    "qbuild.yaml:[0-9]+:[0-9]+: the models take more than 96 MiB of memory; take several manifests";

TEST(HostileExpansionInMemory, AThousandVariantsUnderEveryModelAreRefused) {
  Project project;
  EXPECT_THAT(
      errors_in_bounds(project, with_defaults("defaults:\n  quants:\n" +
                                              numbered("  - {type: Q8_0, name: v", 1000, "}\n"))),
      testing::MatchesRegex(kTooMuchMemory));
}

TEST(HostileExpansionInMemory, ALongTextUnderEveryModelIsRefused) {
  Project project;
  EXPECT_THAT(
      errors_in_bounds(
          project,
          with_defaults(
              "defaults: {quants: Q8_0, publish: {repo: 'acme/{model}', hub: hub, message: '" +
              std::string(8000, 'x') + "'}}\n")),
      testing::MatchesRegex(kTooMuchMemory));
}

TEST(HostileExpansionInMemory, TextsUnderEveryModelAreRefused) {
  std::string texts;
  for (int i = 0; i < 300; ++i)
    texts += "{name: n" + std::to_string(i) + ", text: '" + repeated("a/", 30) + "'}, ";
  Project project;
  EXPECT_THAT(
      errors_in_bounds(project, with_defaults("defaults: {quants: Q8_0, benchmark: {perplexity: [" +
                                              texts + "]}}\n")),
      testing::MatchesRegex(kTooMuchMemory));
}

TEST(HostileExpansionInMemory, PathsThatAreLongUntilTheyAreReadAreRefused) {
  std::string texts;
  for (int i = 0; i < 300; ++i)
    texts += "{name: n" + std::to_string(i) + ", text: '" + repeated("a/../", 60) + "text.txt'}, ";
  Project project;
  EXPECT_THAT(
      errors_in_bounds(project, with_defaults("defaults: {quants: Q8_0, benchmark: {perplexity: [" +
                                              texts + "]}}\n")),
      testing::MatchesRegex("qbuild.yaml:[0-9]+:[0-9]+: the models .* take several manifests"));
}

TEST(HostileExpansionThatIsLegal, AThousandExcludesOfSixteenVariablesAreCompared) {
  Project project;
  EXPECT_EQ(errors_in_bounds(project, near_misses()), "");
}

TEST(HostileExpansionThatIsLegal, TenThousandModelsWithEightVariantsEachAreLoaded) {
  Project project;
  EXPECT_EQ(errors_in_bounds(project, with_defaults(R"(defaults:
  quants: [F32, F16, BF16, Q8_0, Q4_0, Q4_K_M, Q4_K_S, Q6_K]
  benchmark: {perplexity: {text: text.txt}, throughput: {prompt: 8}}
  publish: {repo: "acme/{model}", hub: hub}
)")),
            "");
}

TEST(HostileExpansionFloods, UnknownQuantsBesideAThousandSetsAreToldWithoutComparingAll) {
  Project project;
  const std::string errors = errors_in_bounds(
      project, "version: 1\nsets: {" + numbered(std::string(100, 's'), 999, ": [Q8_0], ") +
                   "}\nmodels: {m: {source: tiny, quants: [" +
                   numbered(std::string(100, 'q'), 1000, ", ") + "]}}\n");
  EXPECT_EQ(first_line(errors),
            "qbuild.yaml:3:37: unknown quant \"" + std::string(60, 'q') + "...\"");
}

TEST(HostileExpansionFloods, ExcludesThatMatchNothingAreToldWithoutComparingAll) {
  Project project;
  const std::string errors = errors_in_bounds(
      project,
      with_matrix("m-{a}", "a: [" + numbered(std::string(50, 'v'), 10000, ", ") + "], exclude: [" +
                               numbered("{a: " + std::string(50, 'w'), 1000, "}, ") + "]"));
  EXPECT_THAT(first_line(errors),
              testing::HasSubstr("unknown value of \"a\": \"" + std::string(50, 'w') + "0\""));
}

}  // namespace
}  // namespace qbuild::manifests
