// `kill -9` of the engine, of a worker, or of both, at random moments by time and at chosen system
// calls; then the same command again. Nothing is lost, nothing is done twice, nobody is left.
//
// Twelve moments by time and twelve by system call; a hundred and more of each where
// QBUILD_LONG_TESTS is set (./dev test --long).

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "base/subprocess.h"
#include "tests/base/sanitized.h"
#include "tests/e2e/processes.h"
#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::string_view kManifest = R"(version: 1
models:
  bard:
    source: bard
    quants: [Q8_0, Q4_0, Q4_K_M]
    benchmark:
      perplexity: {text: text.txt, context: 64, chunks: 2}
      throughput: {prompt: 16, generate: 4, repeat: 2}
    publish: {repo: acme/bard-GGUF, hub: ./hub}
)";

bool is_long() {
  return std::getenv("QBUILD_LONG_TESTS") != nullptr;
}

// Speed is measured with a test's clock and meter, and commits are said to be made at one moment:
// so every byte can be compared.
void set_up(Project& project) {
  project.set_program(metered_program_path());
  project.set_variable("SOURCE_DATE_EPOCH", "1700000000");
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
}

// Everything that a user, or another project that shares the store, sees of the work.
std::map<std::string, std::string> results(const Project& project) {
  std::map<std::string, std::string> all;
  for (const char* const folder : {"out", "hub/files", "hub/repos/acme/bard-gguf/commits",
                                   "hub/repos/acme/bard-gguf/refs", "store/blobs"})
    for (const auto& [name, digest] : project.digests(folder))
      all[std::string(folder) + "/" + name] = digest;
  return all;
}

// What an undisturbed run leaves, and how long it takes.
struct Calm {
  std::map<std::string, std::string> results;
  Seconds seconds;
};
const Calm& calm() {
  static const Calm measured = [] {
    Project project;
    set_up(project);
    const auto begin = std::chrono::steady_clock::now();
    const RunResult run = project.run({"publish"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return Calm{results(project), std::chrono::steady_clock::now() - begin};
  }();
  return measured;
}

// Targets whose end a run told, before it was killed.
std::set<std::string> finished_targets(const RunResult& run) {
  std::set<std::string> targets;
  for (const Json& event : run.events)
    if (event.get_string("event") == "finished" && event.get_bool("executed", false) &&
        event.get_string("status") == "ready")
      targets.insert(event.get_string("target"));
  return targets;
}

// After a run that something happened to: nobody is left, and the next run does the rest, once.
void expect_recovery(const Project& project, const RunResult& killed) {
  const std::set<std::string> finished = finished_targets(killed);
  EXPECT_TRUE(all_end_in(project.root(), std::chrono::seconds(5)))
      << "processes are left five seconds after the kill";
  const RunResult again = project.run_json({"publish"});
  ASSERT_EQ(again.exit_code, 0) << again.out << again.err;
  for (const std::string& target : again.executed())
    EXPECT_FALSE(finished.contains(target)) << target << " was finished and ran again";
  EXPECT_EQ(results(project), calm().results);
  const RunResult verify = project.run({"store", "verify"});
  EXPECT_EQ(verify.exit_code, 0) << verify.out;
  EXPECT_EQ(project.run_json({"publish"}).counter("executed"), 0);
}

enum class Victim : std::uint8_t { kEngine, kWorker, kGroup };

// False if there is none of that kind at the moment.
bool strike(const Project& project, const Running& engine, Victim victim) {
  if (victim == Victim::kGroup) engine.kill_group(SIGKILL);
  if (victim == Victim::kEngine) engine.kill(SIGKILL);
  if (victim != Victim::kWorker) return true;
  for (const int pid : processes_in(project.root()))
    if (pid != engine.pid()) return ::kill(pid, SIGKILL) == 0;
  return false;
}

class Killed : public testing::TestWithParam<Victim> {};

TEST_P(Killed, AtARandomMomentLosesNothingAndLeavesNobody) {
  ASSERT_FALSE(calm().results.empty());
  std::mt19937 random(20261125U + static_cast<unsigned>(GetParam()));
  std::uniform_real_distribution<double> part(0.0, 1.0);
  int struck = 0;
  for (int round = 0; round < (is_long() ? 34 : 4) && !HasFailure(); ++round) {
    const Seconds moment = part(random) * calm().seconds;
    SCOPED_TRACE(testing::Message() << "round " << round << " after " << moment.count() << " s");
    Project project;
    set_up(project);
    const auto running = project.start_json({"publish"});
    std::thread killer([&] {
      std::this_thread::sleep_for(moment);
      if (strike(project, *running, GetParam())) ++struck;
    });
    const RunResult killed = running->finish();
    killer.join();
    expect_recovery(project, killed);
  }
  EXPECT_GT(struck, 0);
}

INSTANTIATE_TEST_SUITE_P(Victims, Killed,
                         testing::Values(Victim::kEngine, Victim::kWorker, Victim::kGroup),
                         [](const auto& one) {
                           switch (one.param) {
                             case Victim::kEngine:
                               return "Engine";
                             case Victim::kWorker:
                               return "Worker";
                             default:
                               return "ProcessGroup";
                           }
                         });

// Whether strace is there and may trace here.
bool can_trace() {
  ProcessSpec spec;
  spec.argv = {"strace", "-f", "-qq", "-o", "/dev/null", "true"};
  spec.environment = {"PATH=/usr/bin:/bin"};
  try {
    return make_process_runner()->start(spec)->wait().exit_code == 0;
  } catch (const std::exception&) {
    return false;
  }
}

class KilledAt : public testing::TestWithParam<const char*> {};

TEST_P(KilledAt, ASystemCallLosesNothingAndLeavesNobody) {
  if (test::kIsSanitized) GTEST_SKIP() << "a sanitizer's run time does not bear being traced";
  if (!can_trace()) GTEST_SKIP() << "strace is not there, or may not trace here";
  ASSERT_FALSE(calm().results.empty());
  // Calls are counted per thread; the first thread that gets so far is the one.
  std::mt19937 random(20261125U);
  for (int round = 0; round < (is_long() ? 20 : 2) && !HasFailure(); ++round) {
    const int nth = 1 + static_cast<int>(random() % 20U);
    SCOPED_TRACE(testing::Message() << "call " << nth);
    Project project;
    set_up(project);
    std::ostringstream tracer;
    tracer << "exec strace -f -qq -o /dev/null -e trace=" << GetParam()
           << " -e inject=" << GetParam() << ":signal=KILL:when=" << nth << " \"$0\" \"$@\"";
    expect_recovery(project, project.start_json({"publish"}, {.shell = tracer.str()})->finish());
  }
}

INSTANTIATE_TEST_SUITE_P(Calls, KilledAt,
                         testing::Values("fsync", "rename", "write", "mkdir", "unlink", "openat"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace qbuild::e2e
