// The same files and the same measured numbers, whatever computes them and whatever interrupts it.

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "base/digest.h"
#include "tests/e2e/processes.h"
#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

constexpr std::string_view kManifest = R"(version: 1
models:
  bard:
    source: bard
    quants: [F32, F16, BF16, Q8_0, Q4_0, Q4_K_S, Q4_K_M, Q5_0, Q5_1, Q5_K_S, Q5_K_M, Q6_K]
    benchmark:
      perplexity: {text: text.txt, context: 64, chunks: 4}
    publish: {repo: acme/bard-GGUF, hub: ./hub}
)";

std::string quality_results(const Project& project) {
  std::string all;
  for (const char* variant : {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K_S", "Q4_K_M", "Q5_0",
                              "Q5_1", "Q5_K_S", "Q5_K_M", "Q6_K"}) {
    const RunResult path =
        project.run({"store", "path", std::string("bard:") + variant + ":quality", "--json"});
    EXPECT_EQ(path.exit_code, 0) << path.err;
    all += Json::parse(path.out).at("inline").at("result.json").as_string();
  }
  return all;
}

TEST(SameBytes, OneOrTwoThreadsScalarOrVectorKernelsGiveTheSameFilesAndNumbers) {
  const Project fast;
  fast.add_model("bard");
  fast.write("qbuild.yaml", kManifest);
  ASSERT_EQ(fast.run({"publish", "--threads", "2"}).exit_code, 0);

  const Project slow;
  slow.add_model("bard");
  slow.write("qbuild.yaml", kManifest);
  const RunResult run = slow.run({"publish", "--threads", "1", "--backend", "scalar"});
  ASSERT_EQ(run.exit_code, 0) << run.err;

  std::map<std::string, std::string> a = fast.digests("out");
  std::map<std::string, std::string> b = slow.digests("out");
  ASSERT_GE(a.size(), 12u);
  std::erase_if(a, [](const auto& file) { return !file.first.ends_with(".gguf"); });
  std::erase_if(b, [](const auto& file) { return !file.first.ends_with(".gguf"); });
  EXPECT_EQ(a, b);
  EXPECT_EQ(quality_results(fast), quality_results(slow));
}

TEST(SameBytes, WithASourceDateCommitsAreTheSameOnAnotherDay) {
  std::vector<std::string> commits;
  for (const char* const date : {"1700000000", "1700000000", "1700000001"}) {
    Project project;
    project.set_variable("SOURCE_DATE_EPOCH", date);
    project.add_model("bard");
    project.write("qbuild.yaml",
                  "version: 1\nmodels:\n  bard:\n    source: bard\n    quants: [Q4_0]\n"
                  "    publish: {repo: acme/bard-GGUF, hub: ./hub, message: \"of {date}\"}\n");
    ASSERT_EQ(project.run({"publish"}).exit_code, 0);
    commits.push_back(project.read("hub/repos/acme/bard-gguf/refs/heads/main"));
    EXPECT_EQ(project.run_json({"publish"}).counter("executed"), 0);
    project.set_variable("SOURCE_DATE_EPOCH", "1800000000");
    EXPECT_EQ(project.run_json({"publish"}).counter("executed"), 0) << "it is no part of any key";
  }
  EXPECT_EQ(commits[0], commits[1]);
  EXPECT_NE(commits[0], commits[2]);
}

TEST(SameBytes, ASourceDateThatIsNoneIsNamed) {
  Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", "version: 1\nmodels: {bard: {source: bard, quants: [Q4_0]}}\n");
  for (const char* const date :
       {"yesterday", "-1", "1e9", "253402300800", "99999999999999999999"}) {
    project.set_variable("SOURCE_DATE_EPOCH", date);
    const RunResult run = project.run({"plan"});
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_EQ(run.err, "$SOURCE_DATE_EPOCH is \"" + std::string(date) +
                           "\", which is no number of seconds since 1970\n");
  }
}

// Starts a publish, sends `signal` to the engine alone after `delay`, and waits for it.
RunResult interrupted_run(const Project& project, int signal, std::chrono::milliseconds delay) {
  const auto running = project.start_json({"publish"});
  const std::jthread killer([&] {
    std::this_thread::sleep_for(delay);
    running->kill(signal);
  });
  return running->finish();
}

class AfterASignal : public ::testing::TestWithParam<int> {};

TEST_P(AfterASignal, AnotherRunGivesTheFilesOfAnUndisturbedOneAndNobodyIsLeft) {
  const Project calm;
  calm.add_model("bard");
  calm.write("qbuild.yaml", kManifest);
  ASSERT_EQ(calm.run({"publish"}).exit_code, 0);

  const Project disturbed;
  disturbed.add_model("bard");
  disturbed.write("qbuild.yaml", kManifest);
  const std::chrono::milliseconds delays[]{std::chrono::milliseconds(60),
                                           std::chrono::milliseconds(250),
                                           std::chrono::milliseconds(600)};
  for (const auto delay : delays) {
    (void)interrupted_run(disturbed, GetParam(), delay);
    EXPECT_TRUE(all_end_in(disturbed.root(), std::chrono::seconds(5)));
    // A process that is killed cannot tidy up: the next run does.
    if (GetParam() == SIGKILL) continue;
    for (const auto& [name, digest] : disturbed.digests("out"))
      EXPECT_FALSE(name.ends_with(".tmp")) << name;
  }
  const RunResult again = disturbed.run({"publish"});
  ASSERT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_EQ(quality_results(calm), quality_results(disturbed));
  EXPECT_EQ(calm.digests("out"), disturbed.digests("out"));
  EXPECT_EQ(disturbed.run({"store", "verify"}).exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(Signals, AfterASignal, ::testing::Values(SIGKILL, SIGINT),
                         [](const auto& one) {
                           return one.param == SIGKILL ? "Kill" : "Interrupt";
                         });

TEST(Interrupted, TheExitCodeIs130) {
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
  EXPECT_EQ(interrupted_run(project, SIGINT, std::chrono::milliseconds(300)).exit_code, 130);
}

}  // namespace
}  // namespace qbuild::e2e
