// What --json says where there is no run to tell of.

#include <gmock/gmock.h>

#include <vector>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHeld = R"(version: 1
models:
  bard:
    source: bard
    quants: [Q8_0]
    benchmark:
      perplexity: {text: text.txt, context: 64, chunks: 2}
    gates: {perplexity_ratio: {max: 0.5}}
)";

TEST(Json, AnErrorIsAnEventPerProblemAndASummary) {
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", "version: 1\nmodels:\n  b: {source: nowhere, quants: [Q9]}\n");
  const RunResult run = project.run_json({"build"});
  EXPECT_EQ(run.exit_code, 2);
  ASSERT_GE(run.events.size(), 3u);
  EXPECT_EQ(run.events[0].get_string("event"), "error");
  EXPECT_EQ(run.events[0].get_string("file"), "qbuild.yaml");
  EXPECT_EQ(run.events[0].get_int("line", 0), 3);
  EXPECT_EQ(run.summary().get_int("exit_code", 0), 2);
  EXPECT_THAT(run.err, HasSubstr("qbuild.yaml:3:"));
}

TEST(Json, ARunThatFindsNothingChangedTellsWhatIsHeldAndReused) {
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", kHeld);
  EXPECT_EQ(project.run({"build"}).exit_code, 3);
  for (int i = 0; i < 2; ++i) {
    const RunResult again = project.run_json({"build"});
    EXPECT_EQ(again.exit_code, 3);
    EXPECT_EQ(again.events.front().get_string("event"), "started_run");
    EXPECT_EQ(again.counter("executed"), 0);
    EXPECT_EQ(again.counter("reused"), 3);
    EXPECT_GE(again.counter("held"), 1);
    std::vector<std::string> held;
    for (const Json& event : again.events)
      if (event.get_string("status") == "held") held.push_back(event.get_string("target"));
    EXPECT_THAT(held, ::testing::Contains("bard:Q8_0:gate"));
  }
}

}  // namespace
}  // namespace qbuild::e2e
