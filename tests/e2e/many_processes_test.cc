// Several qbuild processes at once: on one store, in one folder, on one hub; and one that dies
// while others wait for it.

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>
#include <thread>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kProcesses = 8;
constexpr std::size_t kActions = 200;
constexpr std::size_t kActionsEach = 100;

using Runs = std::vector<std::unique_ptr<Running>>;

// Waits for all. Each must have succeeded and said nothing on stderr.
std::vector<RunResult> finish_all(Runs& runs) {
  std::vector<RunResult> results;
  for (const auto& run : runs) {
    results.push_back(run->finish());
    EXPECT_EQ(results.back().exit_code, 0) << results.back().out;
    EXPECT_EQ(results.back().err, "");
    EXPECT_EQ(results.back().counter("failed"), 0);
  }
  return results;
}

std::int64_t executed_by_all(const std::vector<RunResult>& results) {
  std::int64_t sum = 0;
  for (const RunResult& result : results) sum += result.counter("executed");
  return sum;
}

void expect_whole_store(const Project& project) {
  const RunResult verify = project.run({"store", "verify"});
  EXPECT_EQ(verify.exit_code, 0) << verify.err;
  EXPECT_THAT(verify.out, HasSubstr(", 0 damaged\n"));
}

// Nothing that was being written when something else was in the way.
void expect_no_leftovers(const Project& project) {
  for (const auto& entry : fs::recursive_directory_iterator(project.root()))
    EXPECT_FALSE(entry.path().extension() == ".tmp") << entry.path();
  for (const auto& entry : fs::directory_iterator(project.path("store/tmp")))
    EXPECT_EQ(entry.path().filename(), "guard");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// A quick variant whose tool writes down that it ran.
std::string quick_variant(const Project& project, std::size_t number) {
  const std::string n = std::to_string(number);
  return "      - {name: v" + n + ", method: command, run: [sh, tool.sh, \"{out}\", \"" + n +
         "\", \"" + project.path("ran.txt").string() +
         "\"], outputs: [\"*.bin\"], inputs: [tool.sh], tool: t@1}\n";
}

// Eight folders, each with half of the variants, so that each variant is wanted by four of them.
void add_overlapping_projects(const Project& project) {
  for (std::size_t process = 0; process < kProcesses; ++process) {
    const fs::path folder = "p" + std::to_string(process);
    project.add_model(folder / "bard");
    project.write(folder / "tool.sh", "echo $2 >>\"$3\"\necho made $2 >$1/m$2.bin\n");
    std::string manifest = "version: 1\nmodels:\n  bard:\n    source: bard\n    quants:\n";
    for (std::size_t i = 0; i < kActionsEach; ++i)
      manifest += quick_variant(project, (process * kActions / kProcesses + i) % kActions);
    project.write(folder / "qbuild.yaml", manifest);
  }
}

TEST(ManyProcesses, EightOnOneStoreRunEachOf200ActionsOnceAndEachHasItsOutputs) {
  const Project project;
  add_overlapping_projects(project);
  Runs runs;
  for (std::size_t process = 0; process < kProcesses; ++process)
    runs.push_back(project.start_json({"build", "-C", "p" + std::to_string(process)}));
  const std::vector<RunResult> results = finish_all(runs);
  EXPECT_EQ(executed_by_all(results), static_cast<std::int64_t>(kActions));

  std::vector<std::string> ran = lines_of(project.read("ran.txt"));
  EXPECT_EQ(ran.size(), kActions);
  std::sort(ran.begin(), ran.end());
  EXPECT_TRUE(std::adjacent_find(ran.begin(), ran.end()) == ran.end());

  for (std::size_t process = 0; process < kProcesses; ++process) {
    const RunResult& result = results[process];
    EXPECT_EQ(result.counter("executed") + result.counter("reused"),
              static_cast<std::int64_t>(kActionsEach));
    std::size_t found = 0;
    const fs::path out = project.path("p" + std::to_string(process)) / "out";
    for (const auto& entry : fs::recursive_directory_iterator(out)) {
      if (!entry.is_regular_file()) continue;
      ++found;
      const std::string number = entry.path().stem().string().substr(1);
      EXPECT_EQ(read_whole(entry.path()), "made " + number + "\n");
    }
    EXPECT_EQ(found, kActionsEach);
  }
  expect_whole_store(project);
  expect_no_leftovers(project);
}

// `hub`: as the manifest's folder sees it.
std::string six_publications(std::string_view hub) {
  std::string manifest =
      "version: 1\ndefaults:\n  publish: {repo: \"acme/{model}-GGUF\", hub: " + std::string(hub) +
      "}\nmodels:\n";
  for (const char* model : {"m1", "m2", "m3", "m4", "m5", "m6"})
    manifest += "  " + std::string(model) + ": {source: bard, quants: [Q8_0, Q4_0]}\n";
  return manifest;
}

void expect_one_commit_each(const Project& project, const fs::path& hub) {
  for (const char* model : {"m1", "m2", "m3", "m4", "m5", "m6"}) {
    const fs::path repo = project.path(hub) / "repos/acme" / (std::string(model) + "-gguf");
    std::size_t commits = 0;
    for (const auto& entry : fs::recursive_directory_iterator(repo / "commits"))
      if (entry.is_regular_file()) ++commits;
    EXPECT_EQ(commits, 2U) << model << ": the first commit of a repository, and one of ours";
  }
}

TEST(ManyProcesses, EightInOneFolderWithOneHubDoEverythingOnceAndPublishOnce) {
  const Project alone;
  alone.add_model("bard");
  alone.write("qbuild.yaml", six_publications("./hub"));
  const RunResult undisturbed = alone.run_json({"publish"});
  ASSERT_EQ(undisturbed.exit_code, 0) << undisturbed.out << undisturbed.err;

  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", six_publications("./hub"));
  Runs runs;
  for (std::size_t process = 0; process < kProcesses; ++process)
    runs.push_back(project.start_json({"publish"}));
  const std::vector<RunResult> results = finish_all(runs);
  EXPECT_EQ(executed_by_all(results), undisturbed.counter("executed"));
  expect_one_commit_each(project, "hub");
  EXPECT_EQ(project.digests("out"), alone.digests("out"));
  EXPECT_EQ(project.digests("hub/files"), alone.digests("hub/files"));
  expect_whole_store(project);
  expect_no_leftovers(project);

  // The journal of all of them can be read, and the state of one of them is as good as any.
  const RunResult status = project.run({"status", "--json"});
  std::set<std::string> finished;
  for (const std::string& line : lines_of(status.out))
    if (const Json json = Json::parse(line); json.get_string("event") == "run_finished")
      finished.insert(json.get_string("run"));
  EXPECT_EQ(finished.size(), kProcesses);
  const RunResult again = project.run_json({"publish"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.counter("executed"), 0);
}

TEST(ManyProcesses, EightProjectsPublishOneRepositoryWithOneCommit) {
  const Project project;
  Runs runs;
  for (std::size_t process = 0; process < kProcesses; ++process) {
    const fs::path folder = "p" + std::to_string(process);
    project.add_model(folder / "bard");
    project.write(folder / "qbuild.yaml", six_publications("../hub"));
  }
  for (std::size_t process = 0; process < kProcesses; ++process)
    runs.push_back(project.start_json({"publish", "-C", "p" + std::to_string(process)}));
  finish_all(runs);
  expect_one_commit_each(project, "hub");
  const auto first = project.digests("p0/out");
  EXPECT_EQ(first.size(), 18U);
  for (std::size_t process = 1; process < kProcesses; ++process)
    EXPECT_EQ(project.digests(fs::path("p" + std::to_string(process)) / "out"), first);
  expect_whole_store(project);
}

TEST(ManyProcesses, VerifyAndPublishBesideARunningBuildDisturbNothing) {
  const Project project;
  add_overlapping_projects(project);
  project.add_model("other/bard");
  project.write("other/qbuild.yaml", six_publications("./hub"));
  Runs runs;
  runs.push_back(project.start_json({"build", "-C", "p0"}));
  runs.push_back(project.start_json({"build", "-C", "p1"}));
  ASSERT_TRUE(runs.front()->wait_for("started"));
  runs.push_back(project.start_json({"publish", "-C", "other"}));
  for (int i = 0; i < 10; ++i) expect_whole_store(project);
  const std::vector<RunResult> results = finish_all(runs);
  EXPECT_EQ(results[0].counter("executed") + results[1].counter("executed"),
            static_cast<std::int64_t>(kActionsEach + kActions / kProcesses));
  expect_one_commit_each(project, "other/hub");
  expect_whole_store(project);
  expect_no_leftovers(project);
}

TEST(ManyProcesses, WhenTheHolderOfAKeyIsKilledOneThatWaitsMakesItInItsPlace) {
  const Project project;
  for (const fs::path folder : {"a", "b", "c"}) {
    project.add_model(folder / "bard");
    // Whoever comes first works until it is ended.
    project.write(
        folder / "tool.sh",
        "echo half >$1/m.bin\nif mkdir \"$2\"; then sleep 60; fi\necho whole >$1/m.bin\n");
    project.write(folder / "qbuild.yaml",
                  R"(version: 1
models:
  bard:
    source: bard
    quants:
      - {name: slow, method: command, run: [sh, tool.sh, "{out}", ")" +
                      project.path("first").string() +
                      R"("], outputs: ["*.bin"], inputs: [tool.sh], tool: t@1}
)");
  }
  const auto holder = project.start_json({"build", "-C", "a"});
  ASSERT_TRUE(holder->wait_for("started"));
  while (!fs::exists(project.path("first"))) std::this_thread::yield();
  Runs waiting;
  waiting.push_back(project.start_json({"build", "-C", "b"}));
  waiting.push_back(project.start_json({"build", "-C", "c"}));
  for (const char* folder : {"b", "c"})
    while (!fs::exists(project.path(folder) / ".qbuild/journal.jsonl")) std::this_thread::yield();
  // Long enough for them to have found the key taken, which changes nothing of what must follow.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  holder->kill(SIGKILL);
  EXPECT_EQ(holder->finish().exit_code, 128 + SIGKILL);
  const std::vector<RunResult> results = finish_all(waiting);
  EXPECT_EQ(executed_by_all(results), 1);
  for (const char* folder : {"b", "c"})
    EXPECT_EQ(project.read(fs::path(folder) / "out/bard/slow/m.bin"), "whole\n") << folder;
  EXPECT_FALSE(fs::exists(project.path("a/out")));

  // What the dead one left is swept by the next, and its own folder goes on from the others' work.
  const RunResult again = project.run_json({"build", "-C", "a"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.counter("executed"), 0);
  EXPECT_EQ(project.digests("a/out"), project.digests("b/out"));
  expect_whole_store(project);
  expect_no_leftovers(project);
}

}  // namespace
}  // namespace qbuild::e2e
