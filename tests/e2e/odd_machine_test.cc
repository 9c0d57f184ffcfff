// Machines and settings that are not like a developer's: what works all the same, and what is
// refused in one clear message.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "tests/e2e/mounts.h"
#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kManifest = R"(version: 1
models:
  bard:
    source: bard
    quants: [Q4_0]
    publish: {repo: acme/bard-GGUF, hub: ./hub}
)";

void prepare(const Project& project) {
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
}

// What every run must leave, on whatever machine.
struct Results {
  std::map<std::string, std::string> out;
  std::map<std::string, std::string> published;
};

const Results& reference() {
  static const Results made = [] {
    const Project project;
    prepare(project);
    const RunResult run = project.run({"publish"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return Results{project.digests("out"), project.digests("hub/files")};
  }();
  return made;
}

void expect_results(const Project& project, const fs::path& out = "out",
                    const fs::path& hub = "hub") {
  EXPECT_EQ(project.digests(out), reference().out);
  EXPECT_EQ(project.digests(hub / "files"), reference().published);
}

unsigned mode_of(const fs::path& path) {
  struct stat found {};
  EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777U;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  return files;
}

TEST(OddMachine, AUmaskOf077LeavesContentReadOnlyAndTheRestToItsOwnerAlone) {
  const Project project;
  prepare(project);
  const RunResult run = project.run_as({.shell = "umask 077"}, {"publish"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  expect_results(project);
  for (const char* folder : {"store/blobs", "store/records", "hub/blobs"}) {
    for (const fs::path& file : files_below(project.path(folder)))
      EXPECT_EQ(mode_of(file), 0444U) << file;
    EXPECT_EQ(mode_of(project.path(folder)), 0700U);
  }
  EXPECT_EQ(mode_of(project.path("store/format")), 0600U);
  EXPECT_EQ(mode_of(project.path("out/bard/README.md")), 0600U);
  EXPECT_EQ(mode_of(project.path("hub/files/acme/bard-GGUF/README.md")), 0600U);
  for (const char* folder : {"out", "hub/files", "hub/repos", ".qbuild"})
    EXPECT_EQ(mode_of(project.path(folder)), 0700U) << folder;
}

TEST(OddMachine, WithoutHomeTheStoreMustBeNamedAndTheIndexIsDoneWithout) {
  const Project project;
  prepare(project);
  const std::string homeless = "unset HOME XDG_STATE_HOME XDG_CACHE_HOME QBUILD_STORE";
  const RunResult nowhere = project.run_as({.shell = homeless}, {"publish"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_EQ(nowhere.err,
            "neither XDG_CACHE_HOME nor HOME is set, so there is no place for the store; give "
            "--store or $QBUILD_STORE\n");
  const RunResult named = project.run_as({.shell = homeless}, {"publish", "--store", "kept"});
  EXPECT_EQ(named.exit_code, 0) << named.err;
  EXPECT_EQ(named.err,
            "warning: neither XDG_STATE_HOME nor HOME is set: durations are not remembered beyond "
            "this run\n");
  expect_results(project);
}

TEST(OddMachine, PathsWithSpacesNewlinesQuotesAndEmojiWorkInTheCLocale) {
  const Project project("a b\n\"quoted\" 'too' $HOME `x` \xF0\x9F\x90\xB3 *");
  project.add_model("bard");
  std::string manifest(kManifest);
  manifest.replace(manifest.find("./hub"), 5, "\"./h\\nu b \\\"'\xF0\x9F\x90\xB3\"");
  project.write("qbuild.yaml", manifest);
  const RunSetting c_locale{.environment = {{"LANG", "C"}, {"LC_ALL", "C"}}};
  const std::vector<std::string> publish{"publish", "--store", "s t\n\xF0\x9F\x90\xB3", "--out",
                                         "o\nt \"'\xC3\xA9"};
  const RunResult run = project.run_as(c_locale, publish);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  expect_results(project, publish[4], "h\nu b \"'\xF0\x9F\x90\xB3");
  EXPECT_THAT(project.run_as(c_locale, publish).out, HasSubstr("nothing to do"));
}

void set_times(const fs::path& path, std::int64_t unix_seconds) {
  const timespec when{.tv_sec = unix_seconds, .tv_nsec = 0};
  const timespec both[2] = {when, when};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), both, 0), 0) << path;
}

TEST(OddMachine, FilesAndAStateFromTheFutureAreBelievedAndLaterEditsNoticed) {
  constexpr std::int64_t kIn2100 = 4'102'444'800;
  const Project project;
  prepare(project);
  for (const fs::path& file : files_below(project.root())) set_times(file, kIn2100);
  EXPECT_EQ(project.run_json({"publish"}).counter("executed"), 3);
  expect_results(project);
  for (const fs::path& file : files_below(project.path(".qbuild"))) set_times(file, kIn2100);
  const RunResult again = project.run_json({"publish"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.counter("executed"), 0);

  // The clock is back at today, and an editor keeps the file's time.
  std::string readme = project.read("bard/README.md");
  readme.replace(readme.find("language: en"), 12, "language: fr");
  project.write("bard/README.md", readme);
  set_times(project.path("bard/README.md"), kIn2100);
  EXPECT_THAT(project.run_json({"publish"}).executed(),
              testing::ElementsAre("bard:card", "bard:publish"));
}

TEST(OddMachine, ASourceThatChangesWhileItIsQuantizedIsSaidAndNothingOfItIsStored) {
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml",
                "version: 1\nmodels:\n  bard:\n    source: bard\n    quants: [Q4_K_M, Q4_K_S, "
                "Q6_K, Q8_0, Q4_0]\n");
  const std::string healthy = project.read("bard/model.safetensors");
  const auto run = project.start_json({"build", "-j", "1", "--threads", "1"});
  ASSERT_TRUE(run->wait_for("started"));
  {
    std::fstream file(project.path("bard/model.safetensors"),
                      std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(-2, std::ios::end);
    file.put(static_cast<char>(healthy[healthy.size() - 2] ^ 0x3f));
  }
  const RunResult result = run->finish();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_GE(result.counter("failed"), 1);
  EXPECT_THAT(result.out, HasSubstr("model.safetensors changed"));
  EXPECT_THAT(result.out, HasSubstr("run again when nothing writes to it"));
  EXPECT_EQ(project.run({"store", "verify"}).exit_code, 0);

  // The same source as before gives the same files as where nothing ever happened; and so does
  // whatever was stored.
  project.write("bard/model.safetensors", healthy);
  EXPECT_EQ(project.run({"build"}).exit_code, 0);
  const RunResult elsewhere = project.run({"build", "--store", "fresh", "--out", "out2"});
  EXPECT_EQ(elsewhere.exit_code, 0) << elsewhere.err;
  EXPECT_EQ(project.digests("out"), project.digests("out2"));
}

TEST(OddMachine, With64OpenFilesABatchOfTwentyAndThirtyThreadsAreBuilt) {
  const Project project;
  project.add_model("bard");
  const std::string head = "version: 1\nmodels:\n  bard:\n    source: bard\n    quants:\n";
  std::string quants = head;
  for (const char* tensor : {"ffn_up", "ffn_down", "attn_q", "attn_k"})
    for (const char* layer : {"0", "1", "2", "3", "4"})
      quants += "      - {name: " + std::string(tensor) + layer +
                ", base: Q4_0, rules: [{match: " + tensor + ", layers: \"" + layer +
                "\", type: Q8_0}]}\n";
  project.write("qbuild.yaml", quants);
  const RunResult batch =
      project.run_as({.shell = "ulimit -n 64"}, {"build", "-j", "1", "--threads", "2"});
  EXPECT_EQ(batch.exit_code, 0) << batch.out << batch.err;
  EXPECT_EQ(batch.err, "");

  std::string commands = head;
  for (int i = 0; i < 30; ++i)
    commands += "      - {name: v" + std::to_string(i) +
                ", method: command, run: [sh, tool.sh, \"{out}\", \"" + std::to_string(i) +
                "\"], outputs: [\"*.bin\"], inputs: [tool.sh], tool: t@1}\n";
  project.write("tool.sh", "echo $2 >$1/m.bin\n");
  project.write("qbuild.yaml", commands);
  const RunResult many = project.run_as({.shell = "ulimit -n 64"}, {"build", "--threads", "30"});
  EXPECT_EQ(many.exit_code, 0) << many.out << many.err;
  EXPECT_EQ(many.err, "");
}

TEST(OddMachine, WithClosedStreamsTheRunIsAsAlwaysAndNoMessageLandsInAFile) {
  const Project project;
  prepare(project);
  project.write("state", "a file where the index's folder must go, so that there is a warning");
  const RunResult run = project.run_as({.shell = "exec <&- >&- 2>&-"}, {"publish"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out + run.err, "");
  expect_results(project);
  for (const fs::path& file : files_below(project.root()))
    EXPECT_THAT(read_whole(file), Not(HasSubstr("warning: index"))) << file;
  EXPECT_EQ(project.run({"store", "verify"}).exit_code, 0);
  const RunResult loud = project.run({"plan"});
  EXPECT_THAT(loud.out, HasSubstr(" current, 0 run"));
}

TEST(OddMachine, AFullDiskUnderStdoutIsAFailureThatLosesNoWork) {
  for (const char* flag : {"--json", "--fail-fast"}) {
    const Project project;
    prepare(project);
    const RunResult run = project.run_as({.shell = "exec >/dev/full"}, {"publish", flag});
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_EQ(run.err,
              "stdout cannot be written, so what it says is incomplete; is its disk full?\n");
    expect_results(project);
    EXPECT_EQ(project.run_as({.shell = "exec >/dev/full"}, {"graph"}).exit_code, 1);
    EXPECT_EQ(project.run_as({.shell = "exec >/dev/full"}, {"--help"}).exit_code, 1);
  }
}

TEST(OddMachine, AStoreOnAnotherDiskWithoutLinksOrClonesIsCopiedFrom) {
  const Project project;
  prepare(project);
  struct stat here {};
  struct stat there {};
  const fs::path other = "/dev/shm";
  if (::stat(project.root().c_str(), &here) != 0 || ::stat(other.c_str(), &there) != 0 ||
      here.st_dev == there.st_dev)
    GTEST_SKIP() << "needs " << other << " on another disk than " << project.root();
  const fs::path store = other / project.root().filename();
  const RunResult run = project.run({"publish", "--store", store.string()});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  expect_results(project);
  for (const fs::path& file : files_below(project.path("out")))
    EXPECT_EQ(fs::hard_link_count(file), 1U) << file;
  EXPECT_EQ(project.run({"store", "verify", "--store", store.string()}).exit_code, 0);
  EXPECT_THAT(project.run({"publish", "--store", store.string()}).out, HasSubstr("nothing to do"));

  // And the other way round: results on a disk that shares nothing with the store.
  const fs::path out = store / "results";
  EXPECT_EQ(project.run({"publish", "--out", out.string()}).exit_code, 0);
  EXPECT_EQ(project.digests(out), reference().out);
  fs::remove_all(store);
}

TEST(OddMachine, ReadOnlyResultsAreSaidAndExportedLaterWithoutBuildingAgain) {
  if (const std::string obstacle = mount_obstacle(); !obstacle.empty())
    GTEST_SKIP() << "needs a read-only mount: " << obstacle;
  const Project project;
  prepare(project);
  fs::create_directories(project.path("out"));
  {
    const Mount locked = Mount::read_only(project.path("out"));
    const RunResult run = project.run({"publish"});
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_THAT(run.out,
                HasSubstr("failed: bard:Q4_0: create folder " + project.path("out/bard").string() +
                          ": the file system is read-only"));
  }
  EXPECT_THAT(project.run_json({"publish"}).executed(),
              testing::ElementsAre("bard:card", "bard:publish"));
  expect_results(project);
}

TEST(OddMachine, AReadOnlyProjectNeedsNoMoreThanItsOwnNotes) {
  if (const std::string obstacle = mount_obstacle(); !obstacle.empty())
    GTEST_SKIP() << "needs a read-only mount: " << obstacle;
  const Project project;
  prepare(project);
  const Mount source = Mount::read_only(project.path("bard"));
  EXPECT_EQ(project.run({"publish"}).exit_code, 0);
  expect_results(project);
  fs::create_directories(project.path("locked"));
  project.write("locked/qbuild.yaml",
                "version: 1\nmodels:\n  bard: {source: ../bard, quants: [Q4_0]}\n");
  const Mount locked = Mount::read_only(project.path("locked"));
  const RunResult run = project.run({"build", "-C", "locked", "--out", "elsewhere"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr(project.path("locked/.qbuild").string()),
                             HasSubstr("the file system is read-only")));
}

}  // namespace
}  // namespace qbuild::e2e
