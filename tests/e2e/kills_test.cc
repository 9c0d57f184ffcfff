// `kill -9` of the engine, of a worker, or of both, at random moments by time and at chosen system
// calls; then the same command again. Nothing is lost, nothing is done twice, nobody is left.
//
// Ten moments of each kind; a hundred where QBUILD_LONG_TESTS is set (./dev test --long).

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "base/subprocess.h"
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
    publish: {repo: acme/bard-GGUF, hub: ./hub}
)";

int moments() {
  return std::getenv("QBUILD_LONG_TESTS") != nullptr ? 100 : 10;
}

void set_up(const Project& project) {
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
}

// Everything that a user, or another project that shares the store, sees of the work.
std::map<std::string, std::string> results(const Project& project) {
  std::map<std::string, std::string> all;
  for (const char* const folder : {"out", "hub/files", "store/blobs"})
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
    const Project project;
    set_up(project);
    const auto begin = std::chrono::steady_clock::now();
    const RunResult run = project.run({"publish"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return Calm{results(project), std::chrono::steady_clock::now() - begin};
  }();
  return measured;
}

ProcessSpec publish_command(const Project& project) {
  ProcessSpec spec;
  spec.argv = {program_path().string(), "publish", "--json"};
  spec.environment = {"PATH=/usr/bin:/bin", "HOME=" + project.path("home").string(),
                      "QBUILD_STORE=" + project.path("store").string(),
                      "XDG_STATE_HOME=" + project.path("state").string()};
  for (const char* const passed : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})
    if (const char* value = std::getenv(passed))
      spec.environment.push_back(std::string(passed) + "=" + value);
  spec.working_directory = project.root();
  spec.output_log = project.path("log.txt");
  spec.pipe_stdout = true;
  return spec;
}

// Targets whose end was told, reading until nobody writes any more.
std::set<std::string> finished_targets(ChildProcess& child) {
  constexpr std::size_t kMaxLine = 16u << 20;
  std::set<std::string> targets;
  while (const auto line = child.read_line(kMaxLine)) {
    // The last line of a process that was killed may be a part of one.
    if (line->empty() || line->back() != '}') continue;
    const Json event = Json::parse(*line);
    if (event.get_string("event") == "finished" && event.get_bool("executed", false) &&
        event.get_string("status") == "ready")
      targets.insert(event.get_string("target"));
  }
  return targets;
}

// After a run that something happened to: nobody is left, and the next run does the rest, once.
void expect_recovery(const Project& project, const std::set<std::string>& finished) {
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
bool strike(const Project& project, ChildProcess& engine, Victim victim) {
  if (victim == Victim::kGroup) {
    engine.signal_group(SIGKILL);
    return true;
  }
  if (victim == Victim::kEngine) return ::kill(engine.pid(), SIGKILL) == 0;
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
  const int rounds = (moments() + 2) / 3;
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    const Seconds moment = part(random) * calm().seconds;
    SCOPED_TRACE(testing::Message() << "round " << round << " after " << moment.count() << " s");
    const Project project;
    set_up(project);
    const auto runner = make_process_runner();
    const auto child = runner->start(publish_command(project));
    std::thread killer([&] {
      std::this_thread::sleep_for(moment);
      if (strike(project, *child, GetParam())) ++struck;
    });
    const std::set<std::string> finished = finished_targets(*child);
    killer.join();
    (void)child->wait();
    expect_recovery(project, finished);
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
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a sanitizer's run time does not bear being traced";
#endif
  if (!can_trace()) GTEST_SKIP() << "strace is not there, or may not trace here";
  ASSERT_FALSE(calm().results.empty());
  // Calls are counted per thread; the first thread that gets so far is the one.
  std::mt19937 random(20261125U);
  const int rounds = std::max(2, moments() / 5);
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    const int nth = 1 + static_cast<int>(random() % 20U);
    SCOPED_TRACE(testing::Message() << "call " << nth);
    const Project project;
    set_up(project);
    ProcessSpec spec = publish_command(project);
    const std::string call = GetParam();
    std::ostringstream injection;
    injection << "inject=" << call << ":signal=KILL:when=" << nth;
    const std::vector<std::string> tracer{
        "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", injection.str()};
    spec.argv.insert(spec.argv.begin(), tracer.begin(), tracer.end());
    const auto runner = make_process_runner();
    const auto child = runner->start(spec);
    const std::set<std::string> finished = finished_targets(*child);
    (void)child->wait();
    expect_recovery(project, finished);
  }
}

INSTANTIATE_TEST_SUITE_P(Calls, KilledAt,
                         testing::Values("fsync", "rename", "write", "mkdir", "unlink", "openat"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace qbuild::e2e
