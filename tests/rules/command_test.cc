#include "rules/command.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "rules/quantize.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using engine::ActionResult;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// False also for one that ended and was not yet waited for.
bool is_running(const std::string& pid) {
  const std::string stat = read_text("/proc/" + pid + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.substr(name_end + 2, 1) != "Z";
}

template <typename Condition>
bool comes_true(Condition condition) {
  const auto deadline = steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class Command : public testing::Test {
 protected:
  Command() {
    write_text(directory_ / "here.txt", "here\n");
    write_text(source_ / "config.json", "{}\n");
  }

  ActionRequest request(Json::Array argv, Json::Array outputs = {"*.txt"}) {
    ActionRequest asked;
    asked.target = "bard:tool";
    asked.scratch = make_scratch(folder_.path(), "scratch" + std::to_string(++scratches_));
    asked.params = Json::object({{"run", std::move(argv)},
                                 {"outputs", std::move(outputs)},
                                 {"tool", "tool@1"},
                                 {"environment", Json::object()}});
    asked.context =
        Json::object({{"directory", directory_.string()}, {"source", source_.string()}});
    return asked;
  }
  ActionRequest shell(const std::string& script, Json::Array outputs = {"*.txt"}) {
    return request({"/bin/sh", "-c", script}, std::move(outputs));
  }
  ActionResult run(const ActionRequest& asked) { return rule_->run(asked, context_); }
  Error failure(const ActionRequest& asked) {
    return error_of([&] { (void)run(asked); });
  }
  // Runs until the tool has made the file "started", then asks it to stop.
  Error stopped(const ActionRequest& asked) {
    const std::jthread stopper([this] {
      (void)comes_true([&] { return fs::exists(directory_ / "started"); });
      context_.request_stop();
    });
    return failure(asked);
  }

  TemporaryFolder folder_;
  fs::path directory_ = folder_.path() / "project";
  fs::path source_ = folder_.path() / "model";
  TestContext context_;
  std::unique_ptr<engine::Rule> rule_ = make_command_rule();
  int scratches_ = 0;
};

TEST_F(Command, KeepsTheFilesThatTheToolWrote) {
  const ActionResult result =
      run(shell("mkdir {out}/sub; printf abc > {out}/b.txt; printf de > {out}/sub/a.txt", {"**"}));
  ASSERT_THAT(result.files, SizeIs(2));
  EXPECT_EQ(result.files[0].name, "b.txt");
  EXPECT_EQ(result.files[0].sha256, sha256("abc"));
  EXPECT_EQ(result.files[0].size_bytes, 3u);
  EXPECT_EQ(read_text(result.files[0].path), "abc");
  EXPECT_EQ(result.files[1].name, "sub/a.txt");
  EXPECT_EQ(result.bytes_written, 5u);
}

TEST_F(Command, RunsInTheManifestsFolderWithTheSource) {
  const auto result =
      run(shell("cat here.txt {source}/config.json {source}/config.json > {out}/a.txt"));
  EXPECT_EQ(read_text(result.files.at(0).path), "here\n{}\n{}\n");
}

TEST_F(Command, WhatAVariableStandsForIsNotLookedAtAgain) {
  source_ = folder_.path() / "a{out}b{source}";
  write_text(source_ / "config.json", "own\n");
  const auto result =
      run(shell("cat '{source}/config.json' > {out}/a.txt; echo {source >> {out}/a.txt"));
  EXPECT_EQ(read_text(result.files.at(0).path), "own\n{source\n");
}

TEST_F(Command, ArgumentsArePassedAsTheyAre) {
  const auto result = run(request(
      {"/bin/sh", "-c", "printf '%s|' \"$@\" > \"$0\"", "{out}/a.txt", "two words", "$HOME", ""}));
  EXPECT_EQ(read_text(result.files.at(0).path), "two words|$HOME||");
}

TEST_F(Command, AToolBesideTheManifestIsFoundByItsRelativePath) {
  write_text(directory_ / "tools/make.sh", "#!/bin/sh\necho made > \"$1/a.txt\"\n");
  fs::permissions(directory_ / "tools/make.sh", fs::perms::owner_all);
  EXPECT_THAT(run(request({"tools/make.sh", "{out}"})).files, SizeIs(1));
}

TEST_F(Command, AToolThatIsNotThereIsSaid) {
  const Error error = failure(request({"no-such-tool-anywhere"}));
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("cannot start no-such-tool-anywhere"));
}

TEST_F(Command, ItsOutputIsLogged) {
  (void)run(shell("echo to stdout; echo to stderr >&2; printf 'no newline'; echo x > {out}/a.txt"));
  EXPECT_THAT(context_.lines(), ElementsAre("to stdout", "to stderr", "no newline"));
}

TEST_F(Command, ItsOutputIsLoggedWhileItRuns) {
  const ActionRequest asked =
      shell("echo begun; while [ ! -e seen ]; do sleep 0.01; done; echo x > {out}/a.txt");
  const std::jthread watcher([this] {
    EXPECT_TRUE(comes_true([&] { return !context_.lines().empty(); }));
    write_text(directory_ / "seen", "");
  });
  (void)run(asked);
  EXPECT_THAT(context_.lines(), ElementsAre("begun"));
}

TEST_F(Command, OfVeryLongOutputTheEndIsKept) {
  (void)run(shell("head -c 2000000 /dev/zero | tr '\\0' x; echo; echo last; echo x > {out}/a.txt"));
  EXPECT_EQ(context_.lines().back(), "last");
}

TEST_F(Command, OnlyDeclaredVariablesArePassedOn) {
  ::setenv("QBUILD_TEST_SECRET", "hidden", 1);
  ActionRequest asked = shell("env > {out}/a.txt");
  asked.params["environment"] = Json::object({{"MODE", "fast and loose"}, {"LANG", "C"}});
  const std::string seen = read_text(run(asked).files.at(0).path);
  ::unsetenv("QBUILD_TEST_SECRET");
  EXPECT_THAT(seen, HasSubstr("MODE=fast and loose\n"));
  EXPECT_THAT(seen, HasSubstr("LANG=C\n"));
  EXPECT_THAT(seen, HasSubstr("PATH="));
  EXPECT_THAT(seen, Not(HasSubstr("QBUILD_TEST_SECRET")));
}

TEST_F(Command, AToolThatFailsSaysItsExitCodeAndKeepsItsLog) {
  const Error error = failure(shell("echo it broke; echo x > {out}/a.txt; exit 1"));
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(), "/bin/sh exited with 1");
  EXPECT_THAT(context_.lines(), ElementsAre("it broke"));
}

TEST_F(Command, AToolThatIsKilledIsSaid) {
  const Error error = failure(shell("echo x > {out}/a.txt; kill -9 $$"));
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(), "/bin/sh was ended by signal 9");
}

TEST_F(Command, AToolThatWritesNothingFails) {
  EXPECT_EQ(failure(shell("mkdir {out}/empty")).message(),
            "the tool exited with 0 but wrote nothing to {out}");
}

TEST_F(Command, AFileThatIsNotDeclaredIsNamed) {
  EXPECT_EQ(failure(shell("echo x > {out}/a.txt; echo y > {out}/b.log")).message(),
            "the tool wrote \"b.log\", which its outputs do not declare; add a pattern to outputs");
}

TEST_F(Command, ADeclaredFileThatIsNotWrittenIsNamed) {
  EXPECT_EQ(failure(shell("echo x > {out}/a.txt", {"*.txt", "*.json"})).message(),
            "the tool wrote no file that matches its output \"*.json\"");
}

TEST_F(Command, ALinkIsNoOutput) {
  const Error error = failure(shell("ln -s /etc/hostname {out}/link.txt"));
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(), "the tool wrote \"link.txt\", which is no regular file");
  EXPECT_EQ(failure(shell("mkdir {out}/sub; mkfifo {out}/sub/pipe.txt", {"**"})).message(),
            "the tool wrote \"sub/pipe.txt\", which is no regular file");
}

TEST_F(Command, ANameThatNoStoreTakesIsQuoted) {
  EXPECT_THAT(failure(shell("echo x > '{out}/a\\b.txt'")).message(),
              HasSubstr("the tool wrote a file with an unusable name: \"a\\b.txt\""));
}

TEST_F(Command, ANameDoesNotReachTheTerminalAsItIs) {
  EXPECT_EQ(failure(shell("echo x > \"{out}/$(printf 'a\\033[2J.txt')\"")).message(),
            "the tool wrote a file with an unusable name: \"a\\x1b[2J.txt\"");
}

TEST_F(Command, WhatItLeavesInTheBackgroundEndsWithIt) {
  const auto begin = steady_clock::now();
  (void)run(shell("sleep 300 & echo $! > pid.tmp; echo x > {out}/a.txt"));
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(60));
  std::string pid = read_text(directory_ / "pid.tmp");
  ASSERT_FALSE(pid.empty());
  pid.pop_back();
  EXPECT_TRUE(comes_true([&] { return !is_running(pid); })) << pid;
}

TEST_F(Command, WhatLeftItsGroupIsEndedAndNamed) {
  (void)run(shell("setsid sleep 300 & echo $! > pid.tmp; echo x > {out}/a.txt; sleep 0.2"));
  const std::string pid = std::to_string(std::stoi(read_text(directory_ / "pid.tmp")));
  EXPECT_THAT(context_.lines(),
              ElementsAre("process " + pid + " (sleep 300) had left the group and was ended"));
  EXPECT_FALSE(is_running(pid));
}

TEST_F(Command, WhatLeftItsGroupAndStillAppendsIsEndedBeforeItsOutputIsHashed) {
  const auto result =
      run(shell("setsid sh -c 'while :; do echo more >> {out}/a.txt; done' & sleep 0.2"));
  const std::string text = read_text(result.files.at(0).path);
  EXPECT_EQ(result.files.at(0).sha256, sha256(text));
  EXPECT_EQ(result.files.at(0).size_bytes, text.size());
}

TEST_F(Command, WhoeverHoldsItsOutputKeepsItNotFromEnding) {
  const auto begin = steady_clock::now();
  (void)run(shell("setsid yes & echo x > {out}/a.txt; sleep 0.1; exit 0"));
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST_F(Command, OutputOfGigabytesFillsNeitherDiskNorLog) {
  const ActionRequest asked = shell("head -c 1G /dev/zero; echo; echo last; echo x > {out}/a.txt");
  (void)run(asked);
  EXPECT_EQ(context_.lines().back(), "last");
  EXPECT_LT(context_.lines().size(), 3u << 20);
  EXPECT_THAT(context_.lines(), testing::Contains(testing::EndsWith("output are left out]")));
  std::uintmax_t written = 0;
  for (const auto& entry : fs::recursive_directory_iterator(asked.scratch))
    if (entry.is_regular_file()) written += entry.file_size();
  EXPECT_EQ(written, 2u) << "a.txt";
}

TEST_F(Command, AStopEndsTheToolWithWhatItStarted) {
  const Error error =
      stopped(shell("sleep 300 & echo $! > pid.tmp; echo x > {out}/a.txt; touch started; wait"));
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  EXPECT_EQ(error.message(), "stopped");
  std::string pid = read_text(directory_ / "pid.tmp");
  ASSERT_FALSE(pid.empty());
  pid.pop_back();
  EXPECT_TRUE(comes_true([&] { return !is_running(pid); })) << pid;
}

TEST_F(Command, AToolThatIgnoresTheStopIsKilled) {
  const auto begin = steady_clock::now();
  const Error error = stopped(shell("trap '' TERM; touch started; sleep 300; sleep 300"));
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST_F(Command, AToolEndsWhenTheWorkerIsKilled) {
  const fs::path pid_file = directory_ / "pid";
  const ActionRequest asked = shell("echo $$ > pid.tmp; mv pid.tmp pid; exec sleep 300");
  const pid_t worker = ::fork();
  if (worker == 0) {
    (void)run(asked);
    ::_exit(0);
  }
  ASSERT_GT(worker, 0);
  EXPECT_TRUE(comes_true([&] { return fs::exists(pid_file); }));
  std::string pid = read_text(pid_file);
  EXPECT_EQ(::kill(worker, SIGKILL), 0);
  EXPECT_EQ(::waitpid(worker, nullptr, 0), worker);
  ASSERT_FALSE(pid.empty());
  pid.pop_back();
  EXPECT_TRUE(comes_true([&] { return !is_running(pid); })) << pid;
}

TEST_F(Command, ALoneGgufIsDescribedLikeOneOfOurs) {
  const ActionRequest make =
      quantize_request(kBard, "Q4_0", make_scratch(folder_.path(), "quantize"));
  const ActionResult ours = make_quantize_rule()->run(make, context_);
  const ActionResult theirs =
      run(shell("cp " + ours.files.at(0).path.string() + " {out}/x.gguf", {"*.gguf"}));
  EXPECT_EQ(theirs.facets, ours.facets);
  EXPECT_EQ(theirs.facts, ours.facts);
}

TEST_F(Command, ABrokenGgufFailsWhereItWasMade) {
  EXPECT_EQ(failure(shell("echo not a model, just text > {out}/x.gguf", {"*.gguf"})).kind(),
            ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace qbuild::rules
