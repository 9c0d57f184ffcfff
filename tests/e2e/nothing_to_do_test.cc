// A second run does nothing, and what is deleted from the store is made again.

#include <gmock/gmock.h>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kManifest = R"(version: 1
models:
  bard:
    source: bard
    quants: [Q8_0, Q4_0]
    benchmark:
      perplexity: {text: text.txt, context: 64, chunks: 2}
    publish: {repo: acme/bard-GGUF, hub: ./hub}
)";

void prepare(const Project& project) {
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
  const RunResult first = project.run({"publish"});
  ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
}

// The store's path of a file of a target's artifact, or of its record.
fs::path stored(const Project& project, const std::string& target, const std::string& what) {
  const RunResult run = project.run({"store", "path", target, "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const Json json = Json::parse(run.out);
  return what == "record" ? json.at("record").as_string() : json.at("files").at(what).as_string();
}

TEST(NothingToDo, ASecondPublishHashesNothingAndStartsNoProcess) {
  const Project project;
  prepare(project);
  const RunResult second = project.run_json({"publish"});
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_EQ(second.counter("executed"), 0);
  EXPECT_EQ(second.counter("bytes_hashed"), 0);
  EXPECT_EQ(second.counter("bytes_written"), 0);
  EXPECT_EQ(second.counter("requests"), 0);
  EXPECT_LT(second.summary().at("seconds").as_double(), 5.0);
}

TEST(NothingToDo, ADeletedRecordIsMadeAgainAndNothingBelowRuns) {
  const Project project;
  prepare(project);
  fs::remove(stored(project, "bard:Q4_0", "record"));
  const RunResult again = project.run_json({"publish"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.executed(), ElementsAre("bard:Q4_0"));
}

TEST(NothingToDo, ADeletedBlobIsMadeAgainAndNothingBelowRuns) {
  const Project project;
  prepare(project);
  const fs::path blob = stored(project, "bard:Q8_0", "model.gguf");
  fs::remove(blob);
  const RunResult why = project.run({"why", "bard:Q8_0"});
  EXPECT_THAT(why.out, ::testing::HasSubstr("blob"));
  const RunResult again = project.run_json({"publish"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.executed(), ElementsAre("bard:Q8_0"));
  EXPECT_TRUE(fs::exists(blob));
}

TEST(NothingToDo, ADeletedResultAppearsAgainWithoutBeingMade) {
  const Project project;
  prepare(project);
  const auto before = project.digests("out");
  fs::remove_all(project.path("out"));
  const RunResult again = project.run_json({"publish"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.executed(), IsEmpty());
  EXPECT_EQ(project.digests("out"), before);
}

TEST(NothingToDo, WithoutItsStateFolderAProjectFindsEverythingInTheStore) {
  const Project project;
  prepare(project);
  fs::remove_all(project.path(".qbuild"));
  fs::remove_all(project.path("state"));
  const RunResult again = project.run_json({"publish"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  // The receipt was in the state folder: publishing looks at the hub once more and changes nothing
  // there.
  EXPECT_THAT(again.executed(), ElementsAre("bard:publish"));
}

TEST(NothingToDo, AnEditOfTheManifestDuringARunIsNotMissed) {
  const Project project;
  project.add_model("bard");
  const std::string manifest = R"(version: 1
models:
  bard:
    source: bard
    quants:
      - {name: tool, method: command, run: [sh, tool.sh, "{out}"], outputs: ["*"], tool: t@1}
)";
  project.write("qbuild.yaml", manifest);
  project.write("later.yaml", manifest + "      - Q4_0\n");
  // The editor that saves while the build runs.
  project.write("tool.sh", "cp later.yaml qbuild.yaml\necho x > $1/x.bin\n");
  const RunResult first = project.run_json({"build"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.executed(), ElementsAre("bard:tool"));
  const RunResult second = project.run_json({"build"});
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.executed(), ElementsAre("bard:Q4_0"));
}

TEST(NothingToDo, AnotherProjectWithTheSameSourceSharesTheStore) {
  const Project project;
  prepare(project);
  project.write("other.yaml", R"(version: 1
models:
  copy: {source: bard, quants: [Q8_0]}
)");
  const RunResult other = project.run_json({"build", "-f", "other.yaml", "--out", "other-out"});
  EXPECT_EQ(other.exit_code, 0) << other.err;
  EXPECT_EQ(other.counter("executed"), 0);
  EXPECT_EQ(other.counter("reused"), 1);
}

}  // namespace
}  // namespace qbuild::e2e
