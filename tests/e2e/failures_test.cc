// What fails, what is held, and what goes on all the same.

#include <gmock/gmock.h>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// `tool`: the script that the command variant runs.
std::string two_models(std::string_view tool) {
  return R"(version: 1
defaults:
  benchmark:
    perplexity: {text: text.txt, context: 64, chunks: 2}
    throughput: {prompt: 8, generate: 4, repeat: 2}
  publish: {repo: "acme/{model}-GGUF", hub: ./hub}
models:
  bard:
    source: bard
    quants:
      - Q8_0
      - {name: copy-Q4_0, method: command, run: [sh, )" +
         std::string(tool) + R"(, "{out}"], outputs: ["*.gguf"], inputs: [good.gguf], tool: copy@1}
  will:
    source: will
    quants: [Q8_0, Q4_0]
)";
}

// Puts a NaN where the first weight of the first tensor is; gives the old bytes back.
std::string spoil(const Project& project) {
  std::string bytes = project.read("will/model.safetensors");
  std::string before = bytes;
  std::uint64_t header = 0;
  for (int i = 7; i >= 0; --i)
    header = header << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  bytes[8 + header] = '\xc0';
  bytes[9 + header] = '\x7f';
  project.write("will/model.safetensors", bytes);
  return before;
}

// A GGUF of the same model that a "tool" can copy.
void add_good_gguf(const Project& project) {
  project.write("make.yaml", R"(version: 1
models:
  made: {source: bard, quants: [Q4_0]}
)");
  const RunResult made = project.run({"build", "-f", "make.yaml", "--out", "made"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  for (const auto& entry : fs::recursive_directory_iterator(project.path("made")))
    if (entry.path().extension() == ".gguf") fs::copy_file(entry.path(), project.path("good.gguf"));
  ASSERT_TRUE(fs::exists(project.path("good.gguf")));
}

TEST(Failures, EverythingThatDoesNotDependOnThemIsFinishedAndAFixRunsExactlyTheRest) {
  const Project project;
  project.add_model("bard");
  project.add_model("will");
  // Another model: a weight differs, so nothing measured of one holds for the other.
  std::string weights = project.read("will/model.safetensors");
  weights[weights.size() - 2] = static_cast<char>(weights[weights.size() - 2] ^ 0x3f);
  project.write("will/model.safetensors", weights);
  add_good_gguf(project);
  const std::string healthy = spoil(project);
  project.write("tool.sh", "echo the tool is unhappy\nexit 1\n");
  project.write("qbuild.yaml", two_models("tool.sh"));

  const RunResult first = project.run_json({"publish"});
  EXPECT_EQ(first.exit_code, 1);
  EXPECT_THAT(first.executed(), Contains("bard:Q8_0"));
  EXPECT_THAT(first.executed(), Contains("bard:Q8_0:quality"));
  EXPECT_THAT(first.executed(), Contains("bard:Q8_0:speed"));
  EXPECT_THAT(first.executed(), Not(Contains("bard:card")));
  EXPECT_FALSE(fs::exists(project.path("hub/repos/acme/bard-GGUF")));

  const RunResult text = project.run({"publish"});
  EXPECT_EQ(text.exit_code, 1);
  const std::string said = text.out + text.err;
  EXPECT_THAT(said, HasSubstr("bard:copy-Q4_0"));
  EXPECT_THAT(said, HasSubstr("exited with 1"));
  EXPECT_THAT(said, HasSubstr("the tool is unhappy"));
  EXPECT_THAT(said, HasSubstr("will:Q8_0"));
  EXPECT_THAT(said, HasSubstr("NaN"));

  project.write("will/model.safetensors", healthy);
  project.write("tool.sh", "cp good.gguf \"$1\"/model.gguf\n");
  const RunResult fixed = project.run_json({"publish"});
  EXPECT_EQ(fixed.exit_code, 0) << fixed.out << fixed.err;
  EXPECT_THAT(fixed.executed(),
              ElementsAre("bard:card", "bard:copy-Q4_0", "bard:copy-Q4_0:quality",
                          "bard:copy-Q4_0:speed", "bard:publish", "will:Q4_0", "will:Q4_0:quality",
                          "will:Q4_0:speed", "will:Q8_0", "will:Q8_0:quality", "will:Q8_0:speed",
                          "will:card", "will:publish", "will:source:quality"));
}

std::string gated(std::string_view bound, std::string_view quants) {
  return "version: 1\nmodels:\n  bard:\n    source: bard\n    quants: " + std::string(quants) + R"(
    benchmark:
      perplexity: {text: text.txt, context: 64, chunks: 2}
    gates: {perplexity_ratio: {max: )" +
         std::string(bound) + R"(}}
    publish: {repo: acme/bard-GGUF, hub: ./hub}
)";
}

std::string published_card(const Project& project) {
  return project.read("hub/files/acme/bard-GGUF/README.md");
}

TEST(Gates, AVariantThatAGateHoldsIsBuiltAndReportedNotPublished) {
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", gated("0.5", "[Q8_0, Q4_0]"));
  const RunResult first = project.run({"publish"});
  EXPECT_EQ(first.exit_code, 3) << first.err;
  EXPECT_THAT(first.out + first.err, HasSubstr("perplexity_ratio"));
  EXPECT_THAT(first.out + first.err, HasSubstr("above 0.5"));
  EXPECT_FALSE(fs::exists(project.path("hub/files/acme/bard-GGUF/README.md")));
  EXPECT_FALSE(project.digests("out").empty());

  const RunResult again = project.run_json({"publish"});
  EXPECT_EQ(again.exit_code, 3);
  EXPECT_EQ(again.counter("executed"), 0);
}

TEST(Gates, TheEarlierFormOfAHeldVariantStaysListedFromItsOwnRecord) {
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", gated("5", "[Q8_0, Q4_0]"));
  ASSERT_EQ(project.run({"publish"}).exit_code, 0);
  const std::string before = published_card(project);
  const auto files_before = project.digests("hub/files/acme/bard-GGUF");

  // Another chat template makes another file; a gate that nothing passes holds both of them.
  std::string config = project.read("bard/tokenizer_config.json");
  config.replace(config.find("'ASSISTANT:"), 11, "'PLAYER:");
  project.write("bard/tokenizer_config.json", config);
  project.write("qbuild.yaml", gated("0.5", "[Q8_0, Q4_0]"));
  const RunResult held = project.run({"publish"});
  EXPECT_EQ(held.exit_code, 3) << held.out << held.err;
  const auto files_after = project.digests("hub/files/acme/bard-GGUF");
  for (const auto& [name, digest] : files_before) {
    if (name.ends_with(".gguf")) {
      EXPECT_EQ(files_after.at(name), digest) << name;
    }
  }
  EXPECT_THAT(published_card(project), HasSubstr("Q4_0.gguf"));
  EXPECT_THAT(published_card(project), HasSubstr("Q8_0.gguf"));
}

TEST(Licences, ALicenceThatIsNotAllowedHoldsThePublication) {
  const Project project;
  project.add_model("bard");
  const std::string manifest = R"(version: 1
licenses: [mit]
models:
  bard:
    source: bard
    quants: [Q8_0]
    publish: {repo: acme/bard-GGUF, hub: ./hub}
)";
  project.write("qbuild.yaml", manifest);
  const RunResult held = project.run({"publish"});
  EXPECT_EQ(held.exit_code, 3) << held.out << held.err;
  EXPECT_THAT(held.out + held.err, HasSubstr("apache-2.0"));
  EXPECT_FALSE(fs::exists(project.path("hub/files/acme/bard-GGUF/README.md")));
}

}  // namespace
}  // namespace qbuild::e2e
