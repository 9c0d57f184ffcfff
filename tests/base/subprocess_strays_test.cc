// What a child leaves running outside of its group.

#include "base/subprocess_strays.h"

#include <gmock/gmock.h>

#include <csignal>

#include "tests/base/shell.h"
#include "tests/base/temporary_folder.h"

namespace qbuild {
namespace {

using test::eventually;
using test::is_running;
using test::shell;
using test::start;
using test::text_of;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Strays : public testing::Test {
 protected:
  // The line that ends the script waits until that many processes have written their numbers.
  ProcessSpec leaves(const std::string& script, int count) {
    ProcessSpec spec = shell(script + "\nwhile [ $(cat pid* 2>/dev/null | wc -l) -lt " +
                             std::to_string(count) + " ]; do sleep 0.01; done");
    spec.working_directory = folder_.path();
    spec.end_strays = true;
    return spec;
  }
  int pid(const std::string& name) { return std::stoi(text_of(folder_ / name)); }

  test::TemporaryFolder folder_;
};

TEST_F(Strays, OneThatLeftTheGroupIsNamedAndEnded) {
  const ProcessExit exit =
      start(leaves("setsid sh -c 'echo $$ > pid; exec sleep 1000' &", 1))->wait();
  ASSERT_THAT(exit.strays, SizeIs(1));
  EXPECT_EQ(exit.exit_code, 0);
  EXPECT_EQ(exit.strays[0].pid, pid("pid"));
  EXPECT_EQ(exit.strays[0].command, "sleep 1000");
  EXPECT_TRUE(exit.strays[0].has_ended);
  EXPECT_FALSE(is_running(pid("pid")));
}

TEST_F(Strays, WhatAStrayStartedInTurnEndsToo) {
  const ProcessExit exit =
      start(leaves("setsid sh -c 'setsid sh -c \"echo \\$\\$ > pid1; exec sleep 1001\" & "
                   "echo $$ > pid2; wait' &",
                   2))
          ->wait();
  EXPECT_THAT(exit.strays, SizeIs(2));
  EXPECT_FALSE(is_running(pid("pid1")));
  EXPECT_FALSE(is_running(pid("pid2")));
}

TEST_F(Strays, WhatStayedInTheGroupIsEndedWithoutAWord) {
  const ProcessExit exit = start(leaves("sh -c 'echo $$ > pid; exec sleep 1000' &", 1))->wait();
  EXPECT_THAT(exit.strays, IsEmpty());
  EXPECT_TRUE(eventually([&] { return !is_running(pid("pid")); }));
}

TEST_F(Strays, AnotherChildOfTheSameRunnerIsNone) {
  const auto runner = make_process_runner();
  const auto other = runner->start(shell("exec sleep 1000"));
  const ProcessExit exit = runner->start(leaves("true", 0))->wait();
  EXPECT_THAT(exit.strays, IsEmpty());
  EXPECT_TRUE(is_running(other->pid()));
}

TEST_F(Strays, WhatWasThereBeforeIsNone) {
  const auto before = start(shell("exec sleep 1000"));
  const ProcessExit exit = start(leaves("true", 0))->wait();
  EXPECT_THAT(exit.strays, IsEmpty());
  EXPECT_TRUE(is_running(before->pid()));
}

TEST_F(Strays, OfManyAllAreEndedAndSomeAreNamed) {
  const ProcessExit exit =
      start(leaves("for i in $(seq 40); do setsid sh -c \"echo \\$\\$ > pid$i; exec sleep 1000\" & "
                   "done",
                   40))
          ->wait();
  EXPECT_THAT(exit.strays, SizeIs(16));
  for (int i = 1; i <= 40; ++i) EXPECT_FALSE(is_running(pid("pid" + std::to_string(i)))) << i;
}

TEST_F(Strays, AreLeftAloneWhereNobodyAskedForTheirEnd) {
  ProcessSpec spec = leaves("setsid sh -c 'echo $$ > pid; exec sleep 1000' &", 1);
  spec.end_strays = false;
  EXPECT_THAT(start(spec)->wait().strays, IsEmpty());
  EXPECT_TRUE(is_running(pid("pid")));
  ::kill(pid("pid"), SIGKILL);
}

TEST_F(Strays, AreEndedWithAChildThatNobodyWaitedFor) {
  {
    ProcessSpec spec = leaves("setsid sh -c 'echo $$ > pid; exec sleep 1000' &", 1);
    spec.argv.back() += "; echo; exec sleep 1000";
    spec.pipe_stdout = true;
    EXPECT_EQ(start(spec)->read_line(10), "");
  }
  EXPECT_FALSE(is_running(pid("pid")));
}

TEST(StrayText, SaysWhoItIsAndWhatBecameOfIt) {
  EXPECT_EQ(stray_text({.pid = 7, .command = "sleep 300", .has_ended = true}),
            "process 7 (sleep 300) had left the group and was ended");
  EXPECT_EQ(stray_text({.pid = 7, .command = "sudo x", .has_ended = false}),
            "process 7 (sudo x) had left the group and still runs: it could not be ended");
}

}  // namespace
}  // namespace qbuild
