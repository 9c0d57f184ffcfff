#include "manifests/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/yaml_node.h"
#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

TEST(Shape, NamesOfSecretsAreKnownByTheirEnding) {
  for (const char* const name : {"token", "HF_TOKEN", "db_password", "ApiKey", "client_secret"})
    EXPECT_TRUE(names_a_secret(name)) << name;
  for (const char* const name : {"tokenizer", "TOKENIZERS_PARALLELISM", "OMP_NUM_THREADS", ""})
    EXPECT_FALSE(names_a_secret(name)) << name;
}

TEST(Shape, AModelMayBeCalledToken) {
  Project project;
  EXPECT_EQ(project.errors("version: 1\nmodels:\n  token: {source: tiny, quants: [Q8_0]}\n"), "");
}

TEST(Shape, ATextThatIsTooLongIsRefusedWithoutBeingPrinted) {
  Project project;
  const std::string errors = project.errors(
      with_model("    quants: [Q8_0]\n    template: " + std::string(9000, 'x') + "\n"));
  EXPECT_EQ(errors, "qbuild.yaml:6:15: the text for \"template\" is longer than 8192 bytes");
}

TEST(Shape, ALongWordIsShortenedInTheMessage) {
  Project project;
  const std::string errors =
      project.errors(with_model("    quants: [" + std::string(500, 'x') + "]\n"));
  EXPECT_THAT(errors, testing::HasSubstr("xxx...\"; known: F32"));
  EXPECT_LT(errors.size(), 400u);
}

const BrokenManifest kBroken[] = {
    {"AnotherVersion",
     R"(version: 2
models: [tiny]
defaults: {quants: Q8_0}
)",
     R"(qbuild.yaml:1:10: version "2" is not known; this program reads version 1)"},
    {"VersionAsText",
     R"(version: "1"
models: [tiny]
defaults: {quants: Q8_0}
)",
     R"(qbuild.yaml:1:10: expected a whole number for "version", found text; for example 1)"},
    {"UnknownTopKey",
     R"(version: 1
model: {}
models: [tiny]
defaults: {quants: Q8_0}
)",
     R"(qbuild.yaml:2:1: unknown key in a manifest: "model"; did you mean "models"?)"},
    {"UnknownModelKey",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], quant: x}
)",
     R"(qbuild.yaml:3:37: unknown key in a model: "quant"; did you mean "quants"?)"},
    {"WordOfALaterIssue",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], divergence: true}
)",
     R"(qbuild.yaml:3:37: "divergence" is not possible yet; possible are source, requantize, quants, template, imatrix, benchmark, gates, licenses, license, card, publish, matrix)"},
    {"AnImportanceMatrixFromAText",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], imatrix: {text: x}}
)",
     R"(qbuild.yaml:3:46: an importance matrix made from a text is not possible yet; give the file of one that llama-imatrix wrote)"},
    {"KeyOfAModelInDefaults",
     R"(version: 1
defaults: {quants: Q8_0, source: tiny}
models: [tiny]
)",
     R"(qbuild.yaml:2:26: unknown key in defaults: "source"; known: requantize, quants, template, imatrix, benchmark, gates, licenses, card, publish)"},
    {"EmptyModels",
     R"(version: 1
models: {}
)",
     R"(qbuild.yaml:2:9: the mapping for "models" is empty; leave the key out or fill it)"},
    {"EmptyListOfModels",
     R"(version: 1
models: []
)",
     R"(qbuild.yaml:2:9: the list for "models" is empty; leave the key out or fill it)"},
    {"NothingAsModels",
     R"(version: 1
models:
)",
     R"(qbuild.yaml:2:1: expected a list or a mapping for "models", found nothing; for example {tiny: {source: ./tiny}})"},
    {"EmptyQuants",
     R"(version: 1
models:
  a: {source: tiny, quants: []}
)",
     R"(qbuild.yaml:3:29: the list for "quants" is empty; leave the key out or fill it)"},
    {"NumberAsQuants",
     R"(version: 1
models:
  a: {source: tiny, quants: 7}
)",
     R"(qbuild.yaml:3:29: expected text or a list for "quants", found a number; put it in quotes)"},
    {"ListInQuants",
     R"(version: 1
models:
  a: {source: tiny, quants: [7, [Q8_0]]}
)",
     R"(qbuild.yaml:3:30: expected text or a mapping for "quants[]", found a number; put it in quotes
qbuild.yaml:3:33: expected text or a mapping for "quants[]", found a list)"},
    {"NumberAsSource",
     R"(version: 1
models:
  a: {source: 7, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: expected text for "source", found a number; put it in quotes)"},
    {"EmptySource",
     R"(version: 1
models:
  a: {source: '', quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: the text for "source" is empty)"},
    {"BareVariable",
     R"(version: 1
models:
  a: {source: {model}, quants: [Q8_0]}
)",
     R"(qbuild.yaml:3:15: {model} without quotes is a mapping; write "{model}")"},
    {"CommandAsSource",
     R"(version: 1
models:
  a: {source: {run: [x], outputs: ['*']}, quants: [Q8_0]}
)",
     "qbuild.yaml:3:15: a source made by a command is not possible yet; give the folder of a "
     "checkpoint"},
    {"TextAsNumber",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {perplexity: {text: text.txt, context: many}}}
)",
     R"(qbuild.yaml:3:87: expected a whole number for "context", found text; for example 512)"},
    {"FractionAsWholeNumber",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {throughput: {prompt: 1.5}}}
)",
     R"(qbuild.yaml:3:70: expected a whole number for "prompt", found a number with a fraction; for example 512)"},
    {"NumberOutOfRange",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {throughput: {repeat: 5000, prompt: 0}}}
)",
     R"(qbuild.yaml:3:70: "repeat" must be from 1 to 1000, not 5000
qbuild.yaml:3:84: "prompt" must be from 1 to 1048576, not 0)"},
    {"HugeNumber",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {throughput: {repeat: 99999999999999999999}}}
)",
     R"(qbuild.yaml:3:70: expected a whole number for "repeat", found a number beyond all bounds; for example 5)"},
    {"TrueAsBenchmark",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: true}
)",
     R"(qbuild.yaml:3:48: expected false or a mapping for "benchmark", found true; for example {throughput: {repeat: 3}})"},
    {"WordAsTruth",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, private: yes}}
)",
     R"(qbuild.yaml:3:70: expected true or false for "private", found text; for example true)"},
    {"UnknownLayout",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, layout: flt}}
)",
     R"(qbuild.yaml:3:69: unknown layout "flt"; did you mean "flat"?)"},
    {"UnknownMetric",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], gates: {perplexity_ration: {max: 1}}}
)",
     R"(qbuild.yaml:3:45: unknown metric "perplexity_ration"; did you mean "perplexity_ratio"?)"},
    {"MetricOfALaterIssue",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], gates: {kld_mean: {max: 1}}}
)",
     R"(qbuild.yaml:3:45: "kld_mean" is not possible yet; possible are perplexity, perplexity_ratio, bits_per_weight, prompt_tokens_per_second, generate_tokens_per_second)"},
    {"InfiniteBound",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], gates: {perplexity: {max: .inf}}}
)",
     R"(qbuild.yaml:3:63: expected a number for "max", found text; for example 1.03)"},
    {"EmptyGate",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], gates: {bits_per_weight: {}}}
)",
     R"(qbuild.yaml:3:62: the mapping for "bits_per_weight" is empty; leave the key out or fill it)"},
    {"LicenceWithoutReason",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], license: gemma}
)",
     R"(qbuild.yaml:3:46: expected a mapping for "license", found text; for example {accept: gemma, reason: "cleared by legal"})"},
    {"LicenceWithHalfAReason",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], license: {accept: gemma}}
)",
     R"(qbuild.yaml:3:46: a licence override needs the key "reason")"},
    {"LicenceWithEmptyReason",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], license: {accept: gemma, reason: " "}}
)",
     R"(qbuild.yaml:3:70: the text for "reason" is empty)"},
    {"OneLicenceAsList",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], licenses: mit}
)",
     R"(qbuild.yaml:3:47: expected false or a list for "licenses", found text; for example [apache-2.0, mit])"},
    {"Token",
     R"(version: 1
token: hf_abcdefghijklmnopqrstuvwxyz
models:
  a: {source: tiny, quants: [hf_abcdefghijklmnopqrstuvwxyz]}
)",
     R"(qbuild.yaml:2:1: "token" does not belong in a manifest; a token is read from the environment (HF_TOKEN) or the token file, never from a manifest
qbuild.yaml:2:1: unknown key in a manifest: "token"; known: version, include, sets, defaults, models, licenses
qbuild.yaml:2:8: this looks like a token; a token is read from the environment (HF_TOKEN) or the token file, never from a manifest
qbuild.yaml:4:30: this looks like a token; a token is read from the environment (HF_TOKEN) or the token file, never from a manifest
qbuild.yaml:4:30: unknown quant "hf_..."; known: F32, F16, BF16, Q8_0, Q4_0, Q4_K_M, Q4_K_S, Q6_K, Q5_K_M, Q5_K_S, Q5_0, Q5_1, Q4_1, Q3_K_M, Q3_K_L, Q3_K_S, Q2_K, IQ4_XS, IQ4_NL, IQ3_M, IQ3_S, IQ3_XS, IQ3_XXS, IQ2_M, IQ2_S, IQ2_XS, IQ2_XXS, IQ1_M, IQ1_S, Q2_K_S, MXFP4_MOE, NVFP4, TQ2_0, TQ1_0, Q1_0)"},
    {"PasswordInAddress",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: a/b, hub: 'https://me:pw@host'}}
)",
     "qbuild.yaml:3:63: this address holds a password; a token is read from the environment "
     "(HF_TOKEN) or the token file, never from a manifest"},
    {"SecretInEnvironment",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [x], outputs: ['*.Q8_0.gguf'], environment: {DB_PASSWORD: abc}}]}
)",
     R"(qbuild.yaml:3:98: "DB_PASSWORD" does not belong in a manifest; a token is read from the environment (HF_TOKEN) or the token file, never from a manifest)"},
    {"ListAtTheTop",
     R"(- 1
)",
     "qbuild.yaml:1:1: expected a mapping for the manifest, found a list"},
    {"EmptyFile", "",
     R"(qbuild.yaml:1:1: the manifest is empty; it needs "version: 1" and models)"},
    {"OnlyComments",
     R"(# nothing
)",
     R"(qbuild.yaml:1:1: the manifest is empty; it needs "version: 1" and models)"},
};

class ShapeErrors : public BrokenManifestTest {};

TEST_P(ShapeErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, ShapeErrors, testing::ValuesIn(kBroken), BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
