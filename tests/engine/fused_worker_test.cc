// Actions that run together in one worker process that dies, hangs, lies or is interrupted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/engine/worker_build.h"

namespace qbuild::engine::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class FusedWorker : public ::testing::Test {
 protected:
  FusedWorker() {
    auto recording = std::make_unique<RecordingProgress>();
    recording_ = recording.get();
    build_.progress = std::move(recording);
  }

  std::string pid_of(const RunReport& report, NodeId id) {
    return report.nodes.at(id).inline_files.at("pid");
  }
  [[nodiscard]] std::vector<ActionRetried> retried() const {
    std::vector<ActionRetried> found;
    for (const Event& event : recording_->events())
      if (const auto* again = std::get_if<ActionRetried>(&event)) found.push_back(*again);
    return found;
  }

  WorkerBuild build_;
  RecordingProgress* recording_ = nullptr;
};

TEST_F(FusedWorker, DoesTheCommonPartOnceAndEachKeepsItsRecord) {
  std::vector<NodeId> ids;
  for (const char* target : {"a", "b", "c", "d"}) ids.push_back(build_.does_fused(target, "write"));
  ids.push_back(build_.does_fused("e", "nap"));
  const RunReport report = build_.run();
  EXPECT_EQ(report.counters.executed, 5u);
  EXPECT_THAT(build_.groups(), ElementsAre(5));
  for (const NodeId id : ids) {
    EXPECT_EQ(pid_of(report, id), pid_of(report, ids[0]));
    EXPECT_EQ(read_text(build_.project.log(build_.node(id).target)), "working\n");
  }
  EXPECT_EQ(build_.run().counters.reused, 5u);
}

TEST_F(FusedWorker, OneThatFailsHindersNoOther) {
  const NodeId good = build_.does_fused("good", "nap");
  const NodeId bad = build_.does_fused("bad", "throw");
  const RunReport report = build_.run();
  EXPECT_EQ(report.nodes.at(good).status, Status::kReady);
  EXPECT_EQ(report.nodes.at(bad).failure->message, "bad tensor");
  EXPECT_THAT(retried(), IsEmpty());
}

TEST_F(FusedWorker, KilledInTheMiddleItsRestRunsAgainAlone) {
  const NodeId done = build_.does_fused("done", "write");
  const NodeId first = build_.does_fused("first", "wait_in_group");
  const NodeId killed = build_.does_fused("killed", "kill_group");
  const RunReport report = build_.run();
  EXPECT_EQ(exit_code(report), 0);
  EXPECT_EQ(report.counters.executed, 3u);
  EXPECT_THAT(build_.groups(), ElementsAre(3));
  EXPECT_NE(pid_of(report, done), pid_of(report, first));
  EXPECT_NE(pid_of(report, done), pid_of(report, killed));
  ASSERT_EQ(retried().size(), 2u);
  EXPECT_EQ(retried()[0].target, "first");
  EXPECT_THAT(retried()[0].message, StartsWith("the worker was killed (SIGKILL) at a peak of "));
  EXPECT_THAT(retried()[0].message, HasSubstr(" (it ran together with others, now it runs alone)"));
}

TEST_F(FusedWorker, ACrashIsBlamedOnWhoCrashesAlone) {
  std::vector<NodeId> innocent;
  for (const char* target : {"a", "b", "c"})
    innocent.push_back(build_.does_fused(target, "wait_in_group"));
  const NodeId culprit = build_.does_fused("culprit", "abort");
  const RunReport report = build_.run();
  EXPECT_EQ(report.nodes.at(culprit).failure->message,
            "the worker crashed (SIGABRT); it said: something broke in matmul.cc:17");
  for (const NodeId id : innocent) EXPECT_EQ(report.nodes.at(id).status, Status::kReady);
  EXPECT_THAT(build_.groups(), ElementsAre(4));
  EXPECT_EQ(retried().size(), 4u);
  EXPECT_THAT(scratch_in(build_.store.root()), IsEmpty());
}

TEST_F(FusedWorker, WhoIsLateFailsAndTheOthersRunAgainAlone) {
  const NodeId late = build_.does_fused("late", "wait");
  build_.node(late).resources.time_limit = milliseconds(700);
  const NodeId other = build_.does_fused("other", "wait_in_group");
  const NodeId done = build_.does_fused("done", "write");
  const RunReport report = build_.run();
  EXPECT_EQ(report.nodes.at(late).failure->message,
            "did not end within 0.7 s (resources.time_limit)");
  EXPECT_EQ(report.nodes.at(other).status, Status::kReady);
  EXPECT_EQ(report.nodes.at(done).status, Status::kReady);
  ASSERT_EQ(retried().size(), 1u);
  EXPECT_EQ(retried()[0].message,
            "the worker was stopped: an action that ran together with this one took too long (it "
            "ran together with others, now it runs alone)");
}

TEST_F(FusedWorker, WhoHangsInNativeCodeIsKilledAndTheOthersRunAgainAlone) {
  const NodeId late = build_.does_fused("late", "deaf");
  build_.node(late).resources.time_limit = milliseconds(700);
  const NodeId other = build_.does_fused("other", "wait_in_group");
  const RunReport report = build_.run();
  EXPECT_EQ(report.nodes.at(late).failure->message,
            "did not end within 0.7 s (resources.time_limit)");
  EXPECT_EQ(report.nodes.at(other).status, Status::kReady);
}

TEST_F(FusedWorker, AnInterruptEndsAllAndKeepsWhatHadEnded) {
  const NodeId done = build_.does_fused("done", "write");
  const NodeId waits = build_.does_fused("waits", "wait");
  const NodeId too = build_.does_fused("too", "wait_in_group");
  std::jthread stopper([&] {
    static_cast<void>(build_.wait_for_pid());
    build_.stop.request_stop();
  });
  const RunReport report = build_.run();
  EXPECT_EQ(exit_code(report), 130);
  EXPECT_EQ(report.nodes.at(done).status, Status::kReady);
  EXPECT_EQ(report.nodes.at(waits).reason, "interrupted");
  EXPECT_EQ(report.nodes.at(too).reason, "interrupted");
  EXPECT_TRUE(has_gone(build_.wait_for_pid(), 5));
  EXPECT_THAT(scratch_in(build_.store.root()), IsEmpty());
}

// A worker of a script: of a group it says what the test wants, and behaves with one alone.
class LyingGroup : public FusedWorker {
 protected:
  // What both were told when they had to run again; nothing for one that had ended.
  std::vector<std::string> said_again(const std::string& script) {
    const std::string hello = R"(echo '{"event":"hello","protocol":1}'
while read -r line; do
ids=$(printf %s "$line" | grep -o '"id":"[^"]*"' | cut -d '"' -f 4)
scratches=$(printf %s "$line" | grep -o '"scratch":"[^"]*"' | cut -d '"' -f 4)
say() { printf '{"event":"%s","id":"%s"%s}\n' "$1" "$2" "$3"; }
finish() {
  printf x > "$2/out"
  say done "$1" ',"seconds":0,"peak_memory_bytes":1,"result":{"files":[{"name":"out","path":"'"$2"'/out","sha256":"HASH","size":1}],"inline_files":{},"facets":{},"facts":null,"bytes_read":0,"bytes_written":0,"bytes_hashed":0,"requests":0,"pieces_computed":0,"pieces_copied":0}'
}
a=$(printf '%s\n' "$ids" | sed -n 1p)
b=$(printf '%s\n' "$ids" | sed -n 2p)
scratch_a=$(printf '%s\n' "$scratches" | sed -n 1p)
scratch_b=$(printf '%s\n' "$scratches" | sed -n 2p)
if [ -z "$b" ]; then say started "$a"; finish "$a" "$scratch_a"; continue; fi
case "$line" in *'"together":true'*) ;; *) exit 9 ;; esac
)";
    std::string program = hello;
    program.replace(program.find("HASH"), 4, sha256("x").hex());
    lying_.emplace(program + script + "\ndone");
    auto recording = std::make_unique<RecordingProgress>();
    recording_ = recording.get();
    lying_->progress = std::move(recording);
    const NodeId ids[] = {lying_->fused("a"), lying_->fused("b")};
    const RunReport report = lying_->run();
    for (const NodeId id : ids)
      EXPECT_EQ(report.nodes.at(id).status, Status::kReady) << report.nodes.at(id).reason;
    std::vector<std::string> said;
    for (const ActionRetried& again : retried()) {
      const std::size_t end = again.message.find(" (it ran together");
      const std::size_t quote = again.message.find(": \"");
      said.push_back(again.target + ": " + again.message.substr(0, std::min(end, quote)));
    }
    return said;
  }

  std::optional<WorkerBuild> lying_;
};

TEST_F(LyingGroup, InAnyOrderIsNoLie) {
  EXPECT_THAT(said_again("say started $b\nsay log $b ',\"line\":\"1\"'\nsay started $a\n"
                         "say log $b ',\"line\":\"2\"'\nsay log $a ',\"line\":\"3\"'\n"
                         "finish $b $scratch_b\nfinish $a $scratch_a"),
              IsEmpty());
  EXPECT_EQ(read_text(lying_->project.log("a")), "3\n");
  EXPECT_EQ(read_text(lying_->project.log("b")), "1\n2\n");
}

TEST_F(LyingGroup, ASecondEndBreaksTheBatch) {
  EXPECT_THAT(said_again("say started $a\nsay started $b\nfinish $a $scratch_a\n"
                         "say failed $a ',\"kind\":\"internal\",\"message\":\"\",\"seconds\":0'\n"
                         "sleep 60"),
              ElementsAre("b: the worker was stopped: it reported on an action that it was not "
                          "given"));
}

TEST_F(LyingGroup, AForeignActionBreaksTheBatch) {
  EXPECT_THAT(said_again("say started $a\nsay started $b\nsay started x\nsleep 60"),
              ElementsAre("a: the worker was stopped: it reported on an action that it was not "
                          "given",
                          "b: the worker was stopped: it reported on an action that it was not "
                          "given"));
}

TEST_F(LyingGroup, ProgressAfterTheEndBreaksTheBatch) {
  EXPECT_THAT(said_again("say started $a\nsay started $b\nfinish $b $scratch_b\n"
                         "say progress $b ',\"done\":1,\"total\":2,\"unit\":\"\"'\nsleep 60"),
              ElementsAre("a: the worker was stopped: it reported on an action that it was not "
                          "given"));
}

TEST_F(LyingGroup, AnEndWithoutABeginningBreaksTheBatch) {
  EXPECT_THAT(said_again("say started $a\nfinish $b $scratch_b\nsleep 60"),
              ElementsAre("a: the worker was stopped: it reported on an action out of turn"));
}

TEST_F(LyingGroup, AnEndOfTheStreamBreaksTheBatch) {
  EXPECT_THAT(said_again("say started $b\nexit 0"),
              ElementsAre("b: the worker ended with exit code 0 in the middle of its work"));
}

TEST_F(FusedWorker, OneThatLiesAlsoToOneAloneFailsThem) {
  WorkerBuild build(
      "echo '{\"event\":\"hello\",\"protocol\":1}'; read line;"
      "for id in $(printf %s \"$line\" | grep -o '\"id\":\"[^\"]*\"' | cut -d '\"' -f 4); do "
      "echo '{\"event\":\"started\",\"id\":\"'$id'\"}'; done;"
      "echo '{\"event\":\"started\",\"id\":\"x\"}'; sleep 60");
  const NodeId ids[] = {build.fused("a"), build.fused("b")};
  const RunReport report = build.run();
  for (const NodeId id : ids) {
    EXPECT_EQ(report.nodes.at(id).failure->message,
              "the worker was stopped: it reported on an action that it was not given: \"x\"");
    EXPECT_EQ(report.nodes.at(id).failure->kind, ErrorKind::kCorrupt);
  }
}

}  // namespace
}  // namespace qbuild::engine::testing
