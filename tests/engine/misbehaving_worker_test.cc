// Workers that write what no worker may, stay when they should end, end when they should stay, or
// never answer: a shell script plays the worker. The engine lives, and says who did what.

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "tests/base/sanitized.h"
#include "tests/engine/worker_build.h"

namespace qbuild::engine::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kHello = "echo '{\"event\":\"hello\",\"protocol\":1}'; ";

// Greets and takes one batch of one action; `say EVENT MEMBERS` reports on it.
std::string greets_and(const std::string& script) {
  return std::string(kHello) + R"(read -r line
member() { printf %s "$line" | grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }
id=$(member id)
scratch=$(member scratch)
say() { printf '{"event":"%s","id":"%s"%s}\n' "$1" "$id" "$2"; }
)" + script;
}

// The members of a done event that names one file.
std::string done_with(const std::string& path, const std::string& sha256_hex, int size) {
  return R"(say done ',"seconds":0,"peak_memory_bytes":1,"result":{"files":[{"name":"out","path":"')" +
         path + R"('","sha256":")" + sha256_hex + R"(","size":)" + std::to_string(size) +
         R"(}],"inline_files":{},"facets":{},"facts":null,"bytes_read":0,"bytes_written":0,)" +
         R"("bytes_hashed":0,"requests":0,"pieces_computed":0,"pieces_copied":0}')";
}
const std::string kMakesX =
    "printf x > \"$scratch/out\"; " + done_with("$scratch/out", sha256("x").hex(), 1);

struct Outcome {
  std::string message;
  ErrorKind kind = ErrorKind::kInternal;
};

class MisbehavingWorker : public ::testing::Test {
 protected:
  // What becomes of one action, "a", in a worker that does this.
  Outcome outcome_of(const std::string& shell_line, milliseconds limit = milliseconds(0)) {
    build_.emplace(shell_line);
    const NodeId a = build_->action("a", text_);
    build_->node(a).resources.time_limit = limit;
    const RunReport report = build_->run();
    const auto& failure = report.nodes.at(a).failure;
    return failure ? Outcome{failure->message, failure->kind} : Outcome{"succeeded"};
  }
  [[nodiscard]] std::string log() const { return read_text(build_->project.log("a")); }

  std::string text_ = "a";
  std::optional<WorkerBuild> build_;
};

TEST_F(MisbehavingWorker, OneThatBehavesSucceeds) {
  EXPECT_EQ(outcome_of(greets_and("say started\n" + kMakesX + "\nread -r line")).message,
            "succeeded");
}

TEST_F(MisbehavingWorker, EventsThatComeByteByByteAreWaitedFor) {
  const std::string slowly =
      "{ say started; " + kMakesX +
      "; } | while IFS= read -r line; do printf %s \"$line\" | "
      "fold -w 20 | while IFS= read -r part || [ -n \"$part\" ]; do printf %s \"$part\"; "
      "sleep 0.01; done; echo; done; read -r line";
  EXPECT_EQ(outcome_of(greets_and(slowly)).message, "succeeded");
}

TEST_F(MisbehavingWorker, ALineOfAGigabyteFailsTheActionInBoundedMemory) {
  const Outcome outcome =
      outcome_of(greets_and("say started; head -c 1G /dev/zero | tr '\\0' x; read -r line"));
  EXPECT_EQ(outcome.kind, ErrorKind::kExhausted);
  EXPECT_THAT(outcome.message, StartsWith("the worker was stopped: process "));
  EXPECT_THAT(outcome.message, EndsWith("printed a line of more than 67108864 bytes"));
  if (test::kIsSanitized) return;  // whose own memory counts, too
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  EXPECT_LT(used.ru_maxrss, 512 * 1024) << "KiB";
}

TEST_F(MisbehavingWorker, DoneWithoutABeginningFailsTheAction) {
  const Outcome outcome = outcome_of(greets_and(kMakesX + "\nread -r line"));
  EXPECT_EQ(outcome.kind, ErrorKind::kCorrupt);
  EXPECT_THAT(outcome.message,
              StartsWith("the worker was stopped: it reported on an action out of turn: \""));
}

TEST_F(MisbehavingWorker, TwoBeginningsFailTheAction) {
  EXPECT_THAT(outcome_of(greets_and("say started; say started; read -r line")).message,
              HasSubstr("out of turn"));
}

TEST_F(MisbehavingWorker, DoneTwiceHarmsNeitherThatActionNorTheNext) {
  // It does not write twice: that would be refused if the file were just being looked at.
  WorkerBuild build(greets_and("say started\n" + kMakesX + "\n" +
                               done_with("$scratch/out", sha256("x").hex(), 1) +
                               "\nread -r line; read -r line"));
  build.options.jobs = 1;
  const NodeId a = build.action("a", "a");
  const NodeId b = build.action("b", "b");
  const RunReport report = build.run();
  EXPECT_EQ(report.nodes.at(a).status, Status::kReady) << report.nodes.at(a).reason;
  EXPECT_EQ(report.nodes.at(b).status, Status::kReady) << report.nodes.at(b).reason;
  EXPECT_EQ(report.counters.executed, 2u);
}

TEST_F(MisbehavingWorker, FilesThatAreNotWhatItSaysFailTheActionAndAreNotStored) {
  const auto says = [&](const std::string& making, const std::string& done) {
    return outcome_of(greets_and("say started\n" + making + "\n" + done + "\nread -r line"))
        .message;
  };
  const std::string hex = sha256("x").hex();
  EXPECT_EQ(says("", done_with("$scratch/out", hex, 1)),
            "out is not the file of 1 bytes that it said it made");
  EXPECT_EQ(says("printf xy > \"$scratch/out\"", done_with("$scratch/out", hex, 1)),
            "out is not the file of 1 bytes that it said it made");
  EXPECT_EQ(says("mkdir \"$scratch/out\"", done_with("$scratch/out", hex, 1)),
            "out is not the file of 1 bytes that it said it made");
  EXPECT_EQ(says("printf y > \"$scratch/out\"", done_with("$scratch/out", hex, 1)),
            "out does not hold what it said it made: its SHA-256 is " + sha256("y").hex() +
                ", not " + hex);
  EXPECT_FALSE(build_->store.has_blob(sha256("x"), 1));
  EXPECT_FALSE(build_->store.has_blob(sha256("y"), 1));
}

TEST_F(MisbehavingWorker, FilesElsewhereStayWhereTheyAre) {
  const TemporaryFolder elsewhere;
  const fs::path user = elsewhere.path() / "user";
  write_text(user, "x");
  const std::string hex = sha256("x").hex();
  EXPECT_EQ(
      outcome_of(greets_and("say started\n" + done_with(user.string(), hex, 1) + "\nread -r line"))
          .message,
      "it left " + user.string() + " outside of its scratch folder");
  for (const std::string& link :
       std::vector<std::string>{"ln -s " + user.string() + " \"$scratch/out\"",
                                "ln -s " + elsewhere.path().string() + " \"$scratch/sub\""}) {
    const std::string path = link.find("/sub") == std::string::npos ? "/out" : "/sub/user";
    EXPECT_THAT(outcome_of(greets_and("say started\n" + link + "\n" +
                                      done_with("$scratch" + path, hex, 1) + "\nread -r line"))
                    .message,
                EndsWith(path + " outside of its scratch folder"));
  }
  EXPECT_EQ(read_text(user), "x");
  EXPECT_EQ(fs::status(user).permissions() & fs::perms::owner_write, fs::perms::owner_write);
}

TEST_F(MisbehavingWorker, ExitWithZeroInTheMiddleIsAFailure) {
  EXPECT_EQ(outcome_of(greets_and("say started; exit 0")).message,
            "the worker ended with exit code 0 in the middle of its work");
}

TEST_F(MisbehavingWorker, OneThatClosesItsOutputButStaysIsKilled) {
  EXPECT_EQ(outcome_of(greets_and("say started; exec >&-; sleep 300")).message,
            "the worker closed its output in the middle of its work and had to be killed");
}

TEST_F(MisbehavingWorker, WhatAKilledOneLeftRunningIsNamedAndEnded) {
  const TemporaryFolder folder;
  const std::string pid_file = (folder.path() / "pid").string();
  const Outcome outcome = outcome_of(greets_and("say started; setsid sleep 300 & echo $! > " +
                                                pid_file + "; sleep 0.2; kill -9 $$"));
  EXPECT_THAT(outcome.message, StartsWith("the worker was killed (SIGKILL)"));
  const std::string pid = std::to_string(std::stoi(read_text(pid_file)));
  EXPECT_EQ(log(), "process " + pid + " (sleep 300) had left the group and was ended\n");
  EXPECT_TRUE(has_gone(std::stoi(pid), 1));
}

TEST_F(MisbehavingWorker, OneThatNeverGreetsIsEnded) {
  EXPECT_EQ(outcome_of("exec sleep 300", milliseconds(200)).message,
            "the worker did not greet within 0.2 s");
}

TEST_F(MisbehavingWorker, OneThatNeverReadsItsBatchIsEnded) {
  text_ = std::string(1u << 20, 'x');  // more than a pipe holds
  EXPECT_EQ(outcome_of(std::string(kHello) + "exec sleep 300", milliseconds(200)).message,
            "did not end within 0.2 s (resources.time_limit)");
}

TEST_F(MisbehavingWorker, OneThatIgnoresThatItIsToldToEndIsKilled) {
  const Outcome outcome = outcome_of(
      greets_and("trap '' TERM; say started; while :; do sleep 1; done"), milliseconds(200));
  EXPECT_EQ(outcome.message, "did not end within 0.2 s (resources.time_limit)");
  EXPECT_EQ(outcome.kind, ErrorKind::kExhausted);
}

TEST_F(MisbehavingWorker, OneThatWasStoppedIsKilledAtTheTimeLimit) {
  EXPECT_EQ(
      outcome_of(greets_and("say started; kill -STOP $$; read -r line"), milliseconds(200)).message,
      "did not end within 0.2 s (resources.time_limit)");
}

}  // namespace
}  // namespace qbuild::engine::testing
