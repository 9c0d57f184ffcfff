// Whole manifests: the ones that the design shows, with the words that are known now, and what
// becomes of them when they are spoilt at random.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/manifests/support.h"

namespace qbuild::manifests {
namespace {

constexpr std::string_view kSmall = R"(version: 1
models:
  smollm2:
    source: ./tiny
    quants: [Q4_K_M, Q8_0]
)";

constexpr std::string_view kFull = R"(version: 1
include: [common.yaml]

sets:
  house: [Q4_0, Q4_K_M, Q8_0]

defaults:
  quants: house
  benchmark:
    perplexity: {text: text.txt, context: 512, chunks: 100}
    throughput: {prompt: 512, generate: 128, repeat: 5}
  licenses: [apache-2.0, mit, llama3.1]

models:
  smollm2:
    source: ./tiny
    template: chat.jinja
    quants:
      - Q6_K
      - {type: Q8_0}
      - name: smol-Q4_K_M
        base: Q4_K_M
        rules:
          - {match: "attn_|_shexp", type: Q8_0}
          - {match: ffn_down, layers: "0-3,-4..-1", type: Q6_K}
      - {method: command, run: ["my-tool", "{source}", "{out}"], outputs: ["*.bin"], tool: my-tool@1.4}
    gates: {perplexity_ratio: {max: 1.03}}
    card: {template: card.md}
    publish:
      repo: "acme/{model}-GGUF"
      hub: ./hub
      layout: folders
      file: "{source.name}-{variant}"
      private: true
      message: "nightly {date}"

  "qwen2.5-{size}":
    matrix: {size: ["tiny", "small", "large"], exclude: [{size: large}]}
    source: "./{size}"
)";

TEST(Samples, TheSmallOneLoads) {
  Project project;
  const Model model = project.model(kSmall);
  EXPECT_EQ(model.name, "smollm2");
  EXPECT_EQ(model.variants.size(), 2u);
}

TEST(Samples, TheFullOneLoads) {
  Project project;
  project.put("common.yaml", "licenses: [x]\n");
  const LoadResult result = project.try_load_text(kFull);
  ASSERT_EQ(format(std::span<const Diagnostic>(result.diagnostics)), "");
  ASSERT_EQ(result.manifest.models.size(), 3u);
  const Model& model = result.manifest.models[0];
  ASSERT_EQ(model.variants.size(), 4u);
  EXPECT_EQ(model.variants[3].name, "my-tool");
  EXPECT_EQ(model.publish->variants[2].file, "tiny-smol-Q4_K_M.gguf");
  EXPECT_EQ(result.manifest.models[1].name, "qwen2.5-tiny");
  EXPECT_EQ(result.manifest.models[2].name, "qwen2.5-small");
  EXPECT_EQ(result.manifest.models[2].variants.size(), 3u);
}

std::string spoilt(std::string text, std::mt19937& random) {
  constexpr std::string_view kPieces[] = {
      "{",    "}", "[",    "]",  ":", "-", "\"", "'",    "\n", "  ",      "*x",    "&x",     "~",
      "null", "7", "true", "<<", "|", "#", "\t", "\xff", "!!", "{model}", "---\n", "version"};
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const std::size_t edits = 1 + below(2);
  for (std::size_t i = 0; i < edits; ++i) {
    const std::size_t at = below(text.size());
    switch (below(4)) {
      case 0:
        text.erase(at, 1 + below(12));
        break;
      case 1:
        text.insert(at, kPieces[below(std::size(kPieces))]);
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), below(80)));
        break;
      default:
        text[at] = static_cast<char>(below(256));
    }
    if (text.empty()) text = "x";
  }
  return text;
}

// Anything but a result would leave the test: an exception fails it, a crash ends it.
TEST(Samples, SpoiltAtRandomTheyLoadOrSayWhyNot) {
  std::mt19937 random(20261125);
  std::size_t loaded = 0;
  std::size_t refused = 0;
  for (int i = 0; i < 500; ++i) {
    Project project;
    project.put("common.yaml", "licenses: [x]\n");
    const std::string text = spoilt(std::string(i % 2 == 0 ? kFull : kSmall), random);
    const LoadResult result = project.try_load_text(text);
    (result.diagnostics.empty() ? loaded : refused)++;
    EXPECT_EQ(result.diagnostics.empty(), !result.manifest.models.empty()) << text;
    for (const Diagnostic& diagnostic : result.diagnostics) {
      EXPECT_FALSE(diagnostic.message.empty()) << text;
      EXPECT_EQ(diagnostic.message.find('\n'), std::string::npos) << diagnostic.message;
    }
  }
  EXPECT_GT(loaded, 5u);
  EXPECT_GT(refused, 200u);
}

}  // namespace
}  // namespace qbuild::manifests
