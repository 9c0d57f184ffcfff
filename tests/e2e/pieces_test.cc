// Tensors that are there already are copied: for another recipe, for a rule of one's own, for a new
// chat template, and after a kill. By the program's own counters.

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

constexpr std::int64_t kTensors = 57;  // of the trained checkpoint
const std::vector<std::string> kEight{"Q4_K_M", "Q4_K_S", "Q5_K_M", "Q6_K",
                                      "Q8_0",   "Q3_K_M", "Q2_K",   "IQ4_XS"};

using Types = std::map<std::string, std::string>;  // tensor -> type
using Pairs = std::set<std::pair<std::string, std::string>>;

// Lines of the journals that killed attempts left.
std::int64_t finished_pieces(const Project& project) {
  std::int64_t lines = 0;
  if (!fs::exists(project.path("store/partial"))) return 0;
  for (const auto& entry : fs::recursive_directory_iterator(project.path("store/partial"))) {
    if (!entry.path().native().ends_with(".pieces")) continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) ++lines;
  }
  return lines;
}

class Pieces : public testing::Test {
 protected:
  static void set_up(const Project& project, const std::vector<std::string>& quants,
                     std::string_view more = "") {
    std::string list;
    for (const std::string& quant : quants) list += "      - " + quant + "\n";
    project.write("qbuild.yaml", "version: 1\nmodels:\n  bard:\n    source: bard\n" +
                                     std::string(more) + "    quants:\n" + list);
  }
  static RunResult build(const Project& project, std::vector<std::string> targets = {}) {
    targets.insert(targets.begin(), "build");
    RunResult run = project.run_json(targets);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return run;
  }
  static Types types_of(const Project& project, const std::string& variant) {
    const RunResult run = project.run({"inspect", "--json", "out/bard/bard-" + variant + ".gguf"});
    Types types;
    const Json file = Json::parse(run.out);
    for (const Json& tensor : file.at("tensors").as_array())
      types[tensor.at("name").as_string()] = tensor.at("type").as_string();
    EXPECT_EQ(types.size(), static_cast<std::size_t>(kTensors));
    return types;
  }
  static Pairs pairs_of(const Project& project, const std::vector<std::string>& variants) {
    Pairs pairs;
    for (const std::string& variant : variants)
      for (const auto& [tensor, type] : types_of(project, variant)) pairs.insert({tensor, type});
    return pairs;
  }
  static std::map<std::string, std::string> made(const Project& project) {
    return project.digests("out");
  }

  // What an undisturbed run makes.
  static const std::map<std::string, std::string>& undisturbed() {
    static const std::map<std::string, std::string> all = [] {
      Project project;
      project.add_model("bard");
      set_up(project, kEight);
      const RunResult run = build(project);
      EXPECT_EQ(run.counter("pieces_computed"),
                static_cast<std::int64_t>(pairs_of(project, kEight).size()));
      EXPECT_EQ(run.counter("pieces_computed") + run.counter("pieces_copied"), 8 * kTensors);
      return made(project);
    }();
    return all;
  }

  Pieces() { project_.add_model("bard"); }

  Project project_;
};

TEST_F(Pieces, OfOneModelsRecipesEachTensorIsComputedOnceInEachType) {
  EXPECT_EQ(undisturbed().size(), kEight.size());
}

TEST_F(Pieces, AnotherRecipeComputesWhatNoneHas) {
  set_up(project_, {"Q4_K_M", "Q8_0"});
  build(project_);
  const Pairs before = pairs_of(project_, {"Q4_K_M", "Q8_0"});
  set_up(project_, {"Q4_K_M", "Q8_0", "Q4_K_S"});
  const RunResult run = build(project_);
  EXPECT_THAT(run.executed(), testing::ElementsAre("bard:Q4_K_S"));
  const Pairs after = pairs_of(project_, {"Q4_K_M", "Q8_0", "Q4_K_S"});
  EXPECT_EQ(run.counter("pieces_computed"),
            static_cast<std::int64_t>(after.size() - before.size()));
  EXPECT_EQ(run.counter("pieces_computed") + run.counter("pieces_copied"), kTensors);
  EXPECT_LT(run.counter("pieces_computed"), kTensors / 2);
}

TEST_F(Pieces, ARuleOfOnesOwnComputesTheTensorsThatItNames) {
  set_up(project_, {"Q4_K_S"});
  build(project_);
  set_up(project_, {"Q4_K_S",
                    "{name: mine-Q4_K_S, base: Q4_K_S, rules: [{match: attn_q, layers: \"2-3\", "
                    "type: Q6_K}]}"});
  const RunResult run = build(project_);
  EXPECT_EQ(run.counter("pieces_computed"), 2);
  EXPECT_EQ(run.counter("pieces_copied"), kTensors - 2);
}

TEST_F(Pieces, ANewTemplateComputesNone) {
  set_up(project_, {"Q4_K_M"});
  build(project_);
  project_.write("chat.jinja", "{{ mine }}");
  set_up(project_, {"Q4_K_M"}, "    template: chat.jinja\n");
  const RunResult run = build(project_);
  EXPECT_THAT(run.executed(), testing::ElementsAre("bard:Q4_K_M"));
  EXPECT_EQ(run.counter("pieces_computed"), 0);
  EXPECT_EQ(run.counter("pieces_copied"), kTensors);
}

TEST_F(Pieces, AnIndexThatIsLostIsMadeAgainFromTheRecords) {
  set_up(project_, {"Q4_K_M"});
  build(project_);
  int garbled = 0;
  for (const auto& entry : fs::recursive_directory_iterator(project_.root())) {
    if (entry.path().filename() != "index.db") continue;
    project_.write(entry.path(), "no database");
    ++garbled;
  }
  EXPECT_EQ(garbled, 1);
  set_up(project_, {"Q4_K_M", "Q4_K_S"});
  const RunResult run = build(project_);
  EXPECT_GT(run.counter("pieces_copied"), kTensors / 2);
  EXPECT_EQ(run.counter("pieces_computed") + run.counter("pieces_copied"), kTensors);
}

// Kills it (also the worker) at its first sign of progress. Returns what was finished then.
std::int64_t kill_at_work(const Project& project, std::vector<std::string> arguments) {
  const auto run = project.start_json(std::move(arguments));
  EXPECT_TRUE(run->wait_for("progress"));
  run->kill_group(SIGKILL);
  (void)run->finish();
  return finished_pieces(project);
}

TEST_F(Pieces, EightTogetherGoOnAfterAKillWhereTheyWere) {
  set_up(project_, kEight);
  std::int64_t finished = 0;
  // A kill may come before anything is finished.
  for (int i = 0; i < 20 && finished == 0; ++i) finished = kill_at_work(project_, {"build"});
  ASSERT_GT(finished, 0);
  const RunResult next = build(project_);
  EXPECT_EQ(made(project_), undisturbed());
  EXPECT_GE(next.counter("pieces_copied"), finished);
  EXPECT_EQ(finished_pieces(project_), 0);
}

TEST_F(Pieces, EightOneByOneGoOnAfterAKillWhereTheyWere) {
  set_up(project_, kEight);
  std::int64_t finished_in_all = 0;
  for (const std::string& quant : kEight) {
    const std::string target = "bard:" + quant;
    const std::int64_t finished = kill_at_work(project_, {"build", target});
    const RunResult next = build(project_, {target});
    EXPECT_GE(next.counter("pieces_copied"), finished) << target;
    finished_in_all += finished;
  }
  EXPECT_GT(finished_in_all, 0);
  EXPECT_EQ(made(project_), undisturbed());
}

}  // namespace
}  // namespace qbuild::e2e
