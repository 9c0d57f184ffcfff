// Tools that misbehave, through manifests and the real programs: each fails alone, says why, leaves
// nothing behind, and the rest is built.

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>

#include "tests/e2e/processes.h"
#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Misbehaving : public testing::Test {
 protected:
  Misbehaving() { project_.add_model("bard"); }

  // A model with a healthy variant, and one that a tool makes with this script.
  void use_tool(std::string_view script, std::string_view resources = "{threads: 1}") const {
    project_.write("tool.sh", script);
    project_.write("qbuild.yaml", R"(version: 1
models:
  bard:
    source: bard
    quants:
      - Q8_0
      - {name: tool, method: command, run: [sh, tool.sh, "{out}"], outputs: ["*.txt"], tool: t@1, resources: )" +
                                      std::string(resources) + "}\n");
  }
  [[nodiscard]] std::string log() const { return project_.run({"log", "bard:tool"}).out; }
  // Its failure, after checking that nothing else failed and nothing was left.
  [[nodiscard]] std::string failure() const {
    const RunResult run = project_.run_json({"build"});
    EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
    EXPECT_EQ(run.counter("failed"), 1);
    EXPECT_THAT(run.executed(), ElementsAre("bard:Q8_0", "bard:tool"));
    expect_nothing_left();
    for (const Json& event : run.events)
      if (event.get_string("event") == "finished" && event.get_string("target") == "bard:tool")
        return event.at("error").get_string("message");
    return "";
  }
  void expect_success() const {
    const RunResult run = project_.run({"build"});
    EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
    expect_nothing_left();
  }
  void expect_nothing_left() const {
    EXPECT_TRUE(all_end_in(project_.root(), std::chrono::seconds(5)));
    for (const auto& entry : fs::directory_iterator(project_.path("store/tmp")))
      EXPECT_EQ(entry.path().filename(), "guard");
    EXPECT_EQ(project_.run({"store", "verify"}).exit_code, 0);
  }

  Project project_;
};

TEST_F(Misbehaving, AToolThatNeverEndsIsEndedAtItsTimeLimitAndFails) {
  use_tool("sleep 300 & echo begun; wait; echo x > \"$1/a.txt\"", "{time_limit: 1s}");
  EXPECT_EQ(failure(), "did not end within 1.0 s (resources.time_limit)");
  EXPECT_EQ(log(), "begun\n");
  // Its limit does not count as a change of what it makes; what it does, does.
  use_tool("echo x > \"$1/a.txt\"", "{time_limit: 1s}");
  expect_success();
  use_tool("echo x > \"$1/a.txt\"", "{time_limit: 1h}");
  EXPECT_EQ(project_.run_json({"build"}).counter("executed"), 0);
}

TEST_F(Misbehaving, AToolThatIgnoresItsEndIsKilled) {
  use_tool("trap '' TERM\nwhile :; do sleep 1; done", "{time_limit: 1s}");
  EXPECT_EQ(failure(), "did not end within 1.0 s (resources.time_limit)");
}

TEST_F(Misbehaving, AToolThatWasStoppedIsKilledAtItsTimeLimit) {
  use_tool("kill -STOP $$", "{time_limit: 1s}");
  EXPECT_EQ(failure(), "did not end within 1.0 s (resources.time_limit)");
}

TEST_F(Misbehaving, AFloodOfOutputIsCutInTheLogAndSaid) {
  use_tool("yes 0123456789 | head -c 500000000; echo the end; echo x > \"$1/a.txt\"");
  expect_success();
  EXPECT_THAT(log(), HasSubstr("bytes of output are left out]\n"));
  EXPECT_THAT(log(), HasSubstr("the end\n"));
  for (const auto& entry : fs::directory_iterator(project_.path(".qbuild/logs")))
    EXPECT_LT(entry.file_size(), 5u << 20) << entry.path();
}

TEST_F(Misbehaving, WhatAToolLeftRunningIsEndedAndWhatLeftItsGroupIsNamed) {
  use_tool("sleep 301 & setsid sleep 302 & echo x > \"$1/a.txt\"; sleep 0.2");
  expect_success();
  EXPECT_THAT(log(), HasSubstr(" (sleep 302) had left the group and was ended\n"));
  EXPECT_THAT(log(), Not(HasSubstr("sleep 301")));
}

TEST_F(Misbehaving, WhatStillWritesToAnOutputIsEndedBeforeItIsStored) {
  use_tool("setsid sh -c 'while :; do echo more >> \"$1/a.txt\"; done' sh \"$1\" &\nsleep 0.3");
  expect_success();
}

TEST_F(Misbehaving, AToolThatExitsWithZeroAndWroteNothingFails) {
  use_tool("exit 0");
  EXPECT_EQ(failure(), "the tool exited with 0 but wrote nothing to {out}");
}

TEST_F(Misbehaving, AToolThatWritesWhatItDidNotDeclareFailsAndNothingIsStored) {
  use_tool("echo x > \"$1/a.txt\"; echo y > \"$1/b.log\"");
  EXPECT_EQ(failure(),
            "the tool wrote \"b.log\", which its outputs do not declare; add a pattern to outputs");
  EXPECT_FALSE(fs::exists(project_.path("out/bard/tool")));
}

TEST_F(Misbehaving, LinksPipesAndHostileNamesAreRefused) {
  use_tool("ln -s /etc/passwd \"$1/a.txt\"");
  EXPECT_EQ(failure(), "the tool wrote \"a.txt\", which is no regular file");
  use_tool("mkfifo \"$1/b.txt\"");
  EXPECT_EQ(project_.run({"build"}).exit_code, 1);
  EXPECT_THAT(project_.run({"build"}).err + project_.run({"build"}).out,
              HasSubstr("the tool wrote \"b.txt\", which is no regular file"));
  use_tool("echo x > \"$1/$(printf 'a\\033[2J.txt')\"");
  const RunResult run = project_.run({"build"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.out + run.err, HasSubstr("a file with an unusable name: \"a\\x1b[2J.txt\""));
}

TEST_F(Misbehaving, AHardLinkToAUsersFileLeavesThatFileAlone) {
  project_.write("mine.txt", "mine\n");
  use_tool("ln mine.txt \"$1/a.txt\"");
  expect_success();
  EXPECT_NE(fs::status(project_.path("mine.txt")).permissions() & fs::perms::owner_write,
            fs::perms::none);
  project_.write("mine.txt", "changed\n");
  EXPECT_EQ(project_.run({"store", "verify"}).exit_code, 0);
}

TEST_F(Misbehaving, FilesAndFoldersThatAreClosedToUsAreNoObstacle) {
  use_tool("echo x > \"$1/a.txt\"; chmod 0 \"$1/a.txt\"; mkdir \"$1/sub\"; chmod 0 \"$1/sub\"");
  expect_success();
}

TEST_F(Misbehaving, FilesWithoutNumberAreRefusedAndRemoved) {
  use_tool("cd \"$1\"; seq -f %.0f.txt 10001 | xargs touch");
  EXPECT_EQ(failure(), "the tool wrote more than 10000 files");
}

// Deeper than a path can be long, and than files may be open.
TEST_F(Misbehaving, FoldersWithoutEndAreRefusedAndRemoved) {
  use_tool("cd \"$1\"; i=0; while [ $i -lt 1500 ]; do mkdir dd; cd dd; i=$((i+1)); done");
  const RunResult run = project_.run_as({.shell = "ulimit -n 128"}, {"build"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.out + run.err, HasSubstr("the tool wrote folders more than 32 deep"));
  expect_nothing_left();
}

}  // namespace
}  // namespace qbuild::e2e
