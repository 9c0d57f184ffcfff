#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/manifest.h"
#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

TEST(Benchmark, HasDefaultsForWhatIsNotSaid) {
  Project project;
  const Benchmark benchmark =
      project
          .model(with_model("    quants: Q8_0\n    benchmark: {perplexity: {text: text.txt}, "
                            "throughput: {prompt: 7}}\n"))
          .benchmark;
  ASSERT_EQ(benchmark.texts.size(), 1u);
  EXPECT_EQ(benchmark.texts[0].name, "text");
  EXPECT_EQ(benchmark.texts[0].context, 512u);
  EXPECT_EQ(benchmark.texts[0].chunks, 0u);
  EXPECT_EQ(benchmark.activations, Activations::kPacked);
  ASSERT_TRUE(benchmark.throughput);
  EXPECT_EQ(benchmark.throughput->prompt, 7u);
  EXPECT_EQ(benchmark.throughput->generate, 128u);
  EXPECT_EQ(benchmark.throughput->repeat, 5u);
}

TEST(Benchmark, ReadsAListOfTexts) {
  Project project;
  const Benchmark benchmark = project
                                  .model(with_model(R"(    quants: Q8_0
    benchmark:
      perplexity:
        - {text: text.txt, context: 64, chunks: 4, activations: f32}
        - {text: shared/text.txt, name: shared, activations: f32}
)"))
                                  .benchmark;
  ASSERT_EQ(benchmark.texts.size(), 2u);
  EXPECT_EQ(benchmark.texts[0].context, 64u);
  EXPECT_EQ(benchmark.texts[0].chunks, 4u);
  EXPECT_EQ(benchmark.texts[1].name, "shared");
  EXPECT_EQ(benchmark.texts[1].text.path, "/p/shared/text.txt");
  EXPECT_EQ(benchmark.activations, Activations::kF32);
  EXPECT_FALSE(benchmark.throughput);
}

TEST(Benchmark, AModelMayChangeOneNumberOfDefaults) {
  Project project;
  const Benchmark benchmark = project
                                  .model(R"(version: 1
defaults: {quants: Q8_0, benchmark: {perplexity: {text: text.txt, context: 64}}}
models: {a: {source: tiny, benchmark: {perplexity: {chunks: 2}}}}
)")
                                  .benchmark;
  EXPECT_EQ(benchmark.texts.at(0).context, 64u);
  EXPECT_EQ(benchmark.texts.at(0).chunks, 2u);
}

TEST(Gates, HaveOneBoundOrBoth) {
  Project project;
  const std::vector<Gate> gates =
      project
          .model(with_model("    quants: Q8_0\n    gates: {perplexity: {min: 1, max: 2.5}, "
                            "generate_tokens_per_second: {min: 3}}\n"))
          .gates;
  ASSERT_EQ(gates.size(), 2u);
  EXPECT_EQ(gates[0].metric, "perplexity");
  EXPECT_EQ(gates[0].min, 1.0);
  EXPECT_EQ(gates[0].max, 2.5);
  EXPECT_EQ(gates[1].max, std::nullopt);
}

const BrokenManifest kBroken[] = {
    {"NoText",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {perplexity: {context: 64}}}
)",
     R"(qbuild.yaml:3:61: a perplexity benchmark needs the key "text")"},
    {"NoChunks",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {perplexity: {text: text.txt, chunks: 0}}}
)",
     R"(qbuild.yaml:3:86: "chunks" must be from 1 to 1048576, not 0)"},
    {"UnknownActivations",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {perplexity: {text: text.txt, activations: f16}}}
)",
     R"(qbuild.yaml:3:91: unknown activations "f16"; known: packed, f32)"},
    {"TextTwice",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {perplexity: [{text: text.txt}, {text: shared/text.txt}]}}
)",
     R"(qbuild.yaml:3:80: the text "text" stands twice; the first is at qbuild.yaml:3:62; give one of them a "name")"},
    {"DifferentActivations",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {perplexity: [{text: text.txt}, {text: other.txt, activations: f32}]}}
)",
     R"(qbuild.yaml:3:111: "activations" must be the same for all texts; the first one has "packed")"},
    {"MeasurementOfALaterIssue",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], benchmark: {divergence: true}}
)",
     R"(qbuild.yaml:3:49: "divergence" is not possible yet; possible are perplexity, throughput)"},
    {"GateThatNothingPasses",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], gates: {perplexity: {max: 1, min: 2}}}
)",
     R"(qbuild.yaml:3:57: nothing passes the gate "perplexity": its min is above its max)"},
};

class BenchmarkErrors : public BrokenManifestTest {};

TEST_P(BenchmarkErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, BenchmarkErrors, testing::ValuesIn(kBroken),
                         BrokenManifestName());

TEST(Benchmark, KnowsWhereItsNumbersStand) {
  Project project;
  const Benchmark made =
      project
          .model(with_model("    quants: [Q8_0]\n    benchmark:\n      perplexity:\n"
                            "        text: text.txt\n        context: 64\n"
                            "      throughput: {repeat: 2, generate: 4}\n"))
          .benchmark;
  EXPECT_EQ(made.texts.at(0).context_at.line, 9u);
  EXPECT_EQ(made.throughput->tokens_at.line, 10u);
  EXPECT_EQ(made.throughput->tokens_at.column, 41u);
  EXPECT_EQ(made.declaration,
            "{perplexity: {text: text.txt, context: 64}, throughput: {repeat: 2, generate: 4}}");
}

}  // namespace
}  // namespace qbuild::manifests
