// What each edit runs, by the program's own counters and events, and what `why` says of it.

#include <gmock/gmock.h>

#include <functional>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::HasSubstr;
using Targets = std::vector<std::string>;

constexpr std::string_view kManifest = R"(version: 1
models:
  bard:
    source: bard
    quants: [Q4_0, Q8_0]
    benchmark:
      perplexity: {text: text.txt, context: 64, chunks: 2}
      throughput: {prompt: 8, generate: 4, repeat: 2}
    gates: {perplexity_ratio: {max: 1.5}}
    publish: {repo: "acme/{model}-GGUF", hub: ./hub, message: "first"}
)";

const Targets kAll{"bard:Q4_0", "bard:Q4_0:quality", "bard:Q4_0:speed",
                   "bard:Q8_0", "bard:Q8_0:quality", "bard:Q8_0:speed",
                   "bard:card", "bard:publish",      "bard:source:quality"};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void edit(const Project& project, const fs::path& file, std::string_view from,
          std::string_view to) {
  project.write(file, replaced(project.read(file), from, to));
}

struct Edit {
  std::string name;
  std::function<void(const Project&)> apply;
  Targets runs;
  std::string why_target;
  std::string why_says;
};

void PrintTo(const Edit& one, std::ostream* out) {
  *out << one.name;
}

void flip_one_weight(const Project& project) {
  std::string bytes = project.read("bard/model.safetensors");
  // The last weight of the file: its lowest mantissa bits, so that it stays finite.
  bytes[bytes.size() - 2] = static_cast<char>(bytes[bytes.size() - 2] ^ 0x3f);
  project.write("bard/model.safetensors", bytes);
}

std::vector<Edit> edits() {
  return {
      {"TouchWithoutChange",
       [](const Project& p) { p.write("bard/config.json", p.read("bard/config.json")); },
       {},
       "bard:Q4_0",
       "up to date"},
      {"CommitMessage",
       [](const Project& p) { edit(p, "qbuild.yaml", "\"first\"", "\"second\""); },
       {},
       "bard:publish",
       "up to date"},
      {"GateThatStillPasses",
       [](const Project& p) { edit(p, "qbuild.yaml", "max: 1.5", "max: 1.4"); },
       {},
       "bard:card",
       "up to date"},
      {"AddedVariant",
       [](const Project& p) { edit(p, "qbuild.yaml", "[Q4_0, Q8_0]", "[Q4_0, Q6_K, Q8_0]"); },
       {"bard:Q6_K", "bard:Q6_K:quality", "bard:Q6_K:speed", "bard:card", "bard:publish"},
       "bard:Q6_K",
       "never built"},
      {"RemovedVariant",
       [](const Project& p) { edit(p, "qbuild.yaml", "[Q4_0, Q8_0]", "[Q8_0]"); },
       {"bard:card", "bard:publish"},
       "bard:card",
       "Q4_0"},
      {"CardTemplate",
       [](const Project& p) {
         p.write("card.md", "# {{model.name}}\n{{#variants}}- {{name}}\n{{/variants}}\n");
         edit(p, "qbuild.yaml", "    publish:", "    card: {template: card.md}\n    publish:");
       },
       {"bard:card", "bard:publish"},
       "bard:card",
       "template"},
      {"SourceReadme",
       [](const Project& p) { edit(p, "bard/README.md", "language: en", "language: fr"); },
       {"bard:card", "bard:publish"},
       "bard:card",
       "readme"},
      {"FileNamePattern",
       [](const Project& p) {
         edit(p, "qbuild.yaml", "message:", "file: \"shakespeare-{variant}\", message:");
       },
       {"bard:card", "bard:publish"},
       "bard:card",
       "shakespeare-Q4_0.gguf"},
      {"Layout",
       [](const Project& p) { edit(p, "qbuild.yaml", "message:", "layout: folders, message:"); },
       {"bard:card", "bard:publish"},
       "bard:card",
       "folders"},
      {"ModelName",
       [](const Project& p) { edit(p, "qbuild.yaml", "  bard:", "  will:"); },
       {"will:card", "will:publish"},
       "will:card",
       "never built"},
      {"EvaluationText",
       [](const Project& p) { p.write("text.txt", p.read("text.txt").substr(100)); },
       {"bard:Q4_0:quality", "bard:Q8_0:quality", "bard:card", "bard:publish",
        "bard:source:quality"},
       "bard:Q4_0:quality",
       "text"},
      {"RepeatsOfTheThroughput",
       [](const Project& p) { edit(p, "qbuild.yaml", "repeat: 2", "repeat: 3"); },
       {"bard:Q4_0:speed", "bard:Q8_0:speed", "bard:card", "bard:publish"},
       "bard:Q8_0:speed",
       "param.repeat: 2 -> 3"},
      {"ChatTemplate",
       [](const Project& p) { edit(p, "bard/tokenizer_config.json", "'ASSISTANT:", "'BARD:"); },
       {"bard:Q4_0", "bard:Q8_0", "bard:card", "bard:publish"},
       "bard:Q4_0",
       "template"},
      {"OneWeight", flip_one_weight, kAll, "bard:source:quality", "weights"},
  };
}

class AfterAnEdit : public ::testing::TestWithParam<Edit> {};

TEST_P(AfterAnEdit, ExactlyTheTargetsThatDependOnItRun) {
  const Edit& one = GetParam();
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
  const RunResult first = project.run_json({"publish"});
  ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
  ASSERT_EQ(first.executed(), kAll);

  one.apply(project);
  const RunResult why = project.run({"why", one.why_target});
  EXPECT_EQ(why.exit_code, 0) << why.err;
  EXPECT_THAT(why.out, HasSubstr(one.why_says));

  const RunResult second = project.run_json({"publish"});
  EXPECT_EQ(second.exit_code, 0) << second.out << second.err;
  EXPECT_EQ(second.executed(), one.runs);
  EXPECT_EQ(second.counter("executed"), static_cast<std::int64_t>(one.runs.size()));

  const RunResult third = project.run_json({"publish"});
  EXPECT_EQ(third.exit_code, 0);
  EXPECT_EQ(third.counter("executed"), 0);
  EXPECT_EQ(third.counter("bytes_hashed"), 0);
}

INSTANTIATE_TEST_SUITE_P(Edits, AfterAnEdit, ::testing::ValuesIn(edits()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace qbuild::e2e
