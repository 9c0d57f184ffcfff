// The commands that look: what each says before and after a build, to people and to programs.

#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <sstream>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kManifest = R"(version: 1
models:
  bard:
    source: bard
    quants: [Q8_0]
    benchmark:
      perplexity: {text: text.txt, context: 64, chunks: 2}
    publish: {repo: acme/bard-GGUF, hub: ./hub}
)";

void prepare(const Project& project) {
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
}

void build(const Project& project, std::string_view command = "build") {
  prepare(project);
  const RunResult run = project.run({std::string(command)});
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
}

std::string out_of(const Project& project, std::vector<std::string> arguments) {
  const RunResult run = project.run(std::move(arguments));
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  return run.out;
}

Json json_of(const Project& project, std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  return Json::parse(out_of(project, std::move(arguments)));
}

// state by target
std::map<std::string, std::string> states(const Json& plan) {
  std::map<std::string, std::string> found;
  for (const Json& entry : plan.at("targets").as_array())
    found[entry.get_string("target")] = entry.get_string("state");
  return found;
}

fs::path first_gguf(const Project& project, const fs::path& below = "out") {
  for (const auto& entry : fs::recursive_directory_iterator(project.path(below)))
    if (entry.path().extension() == ".gguf") return entry.path();
  ADD_FAILURE() << "no GGUF below " << below;
  return {};
}

TEST(Plan, BeforeABuildSaysWhatRunsAndWhatMayRunAndBuildsNothing) {
  const Project project;
  prepare(project);
  const std::string text = out_of(project, {"plan"});
  EXPECT_THAT(text, StartsWith("state"));
  EXPECT_THAT(text, ::testing::ContainsRegex("runs +bard:Q8_0 .*never built"));
  EXPECT_THAT(text, ::testing::ContainsRegex("\n[0-9]+ current, 2 run, [1-9] may run, 0 held\n"));
  EXPECT_TRUE(project.digests("out").empty());
  EXPECT_FALSE(fs::exists(project.path("hub")));

  const Json plan = json_of(project, {"plan"});
  const auto found = states(plan);
  EXPECT_EQ(found.at("bard:Q8_0"), "runs");
  EXPECT_EQ(found.count("bard:publish"), 1U);
  EXPECT_EQ(found.count("bard:source"), 0U);
  EXPECT_EQ(found.at("bard:card"), "may run");
  EXPECT_EQ(plan.at("runs").as_int(), 2);
}

TEST(Plan, AfterAPublishSaysThatAllIsCurrent) {
  const Project project;
  build(project, "publish");
  const std::string text = out_of(project, {"plan"});
  EXPECT_THAT(text, ::testing::ContainsRegex("current +bard:Q8_0\n"));
  EXPECT_THAT(text, HasSubstr(" current, 0 run, 0 may run, 0 held\n"));
  const Json plan = json_of(project, {"plan"});
  EXPECT_EQ(plan.at("runs").as_int() + plan.at("may_run").as_int() + plan.at("held").as_int(), 0);
}

TEST(Plan, AfterAnEditNamesWhatItTouchesAndWhatMayFollow) {
  const Project project;
  build(project, "publish");
  project.write("text.txt", project.read("text.txt").substr(100));
  const auto found = states(json_of(project, {"plan"}));
  EXPECT_EQ(found.at("bard:Q8_0"), "current");
  EXPECT_EQ(found.at("bard:Q8_0:quality"), "runs");
  EXPECT_EQ(found.at("bard:card"), "may run");
  EXPECT_THAT(out_of(project, {"plan"}), HasSubstr("depends on bard:"));
}

TEST(Plan, NamesWhatAGateHoldsBackAndCountsItOnce) {
  const Project project;
  prepare(project);
  project.write("qbuild.yaml",
                std::string(kManifest) + "    gates: {perplexity_ratio: {max: 0.5}}\n");
  EXPECT_EQ(project.run({"build"}).exit_code, 3);
  const RunResult plan = project.run({"plan", "bard:Q8_0:gate"});
  EXPECT_THAT(plan.out, HasSubstr("held     bard:Q8_0:gate"));
  EXPECT_THAT(plan.out, EndsWith("0 may run, 1 held\n"));
  const Json json = json_of(project, {"plan", "bard:Q8_0:gate"});
  EXPECT_EQ(json.get_int("held", 0), 1);
}

TEST(Plan, OfATargetLeavesTheOthersOut) {
  const Project project;
  prepare(project);
  const auto found = states(json_of(project, {"plan", "bard:Q8_0"}));
  EXPECT_EQ(found.size(), 1U);
  EXPECT_EQ(found.count("bard:Q8_0"), 1U);
}

TEST(Why, TellsTheReasonOfEachTarget) {
  const Project project;
  build(project);
  EXPECT_EQ(out_of(project, {"why", "bard:Q8_0"}), "bard:Q8_0 is up to date\n");
  EXPECT_EQ(out_of(project, {"why", "bard:Q8_0:quality"}), "bard:Q8_0:quality is up to date\n");
  EXPECT_THAT(out_of(project, {"why", "bard:publish"}), StartsWith("bard:publish: runs\n  "));

  project.write("text.txt", project.read("text.txt").substr(100));
  EXPECT_THAT(out_of(project, {"why", "bard:Q8_0:quality"}),
              AllOf(StartsWith("bard:Q8_0:quality: runs\n  key changed:\n"), HasSubstr(" -> ")));
  const std::string all = out_of(project, {"why", "bard"});
  EXPECT_THAT(all, HasSubstr("bard:Q8_0 is up to date\n"));
  EXPECT_THAT(all, HasSubstr("\n\nbard:Q8_0:quality: runs\n"));

  const Json json = json_of(project, {"why", "bard:Q8_0:quality"});
  EXPECT_EQ(json.get_string("target"), "bard:Q8_0:quality");
  EXPECT_EQ(json.get_string("state"), "runs");
  EXPECT_EQ(json.at("why").get_string("kind"), "key_changed");
}

TEST(Why, SaysOfASourceThatNothingMakesItAndOfNothingThatItIsUnknown) {
  const Project project;
  prepare(project);
  EXPECT_EQ(out_of(project, {"why", "bard:source"}), "bard:source is a source: nothing makes it\n");
  const RunResult unknown = project.run({"why", "bard:Q8_1"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err,
              HasSubstr("no target matches \"bard:Q8_1\"; did you mean \"bard:Q8_0\"?"));
}

TEST(Graph, IsGivenInThreeFormats) {
  const Project project;
  prepare(project);
  const std::string dot = out_of(project, {"graph"});
  EXPECT_EQ(out_of(project, {"graph", "--format", "dot"}), dot);
  EXPECT_THAT(dot, AllOf(StartsWith("digraph qbuild {\n"), EndsWith("}\n")));
  EXPECT_THAT(dot, HasSubstr("[label=\"bard:source\", shape=note];"));
  EXPECT_THAT(dot, HasSubstr("[label=\"bard:Q8_0:gate\", shape=diamond];"));
  const std::string mermaid = out_of(project, {"graph", "--format", "mermaid"});
  EXPECT_THAT(mermaid, AllOf(StartsWith("graph LR\n"), HasSubstr("[\"bard:publish\"]\n")));
  const std::string json = out_of(project, {"graph", "--format", "json"});
  EXPECT_EQ(out_of(project, {"graph", "--json"}), json);
  std::vector<std::string> targets;
  const Json parsed = Json::parse(json);
  for (const Json& node : parsed.at("nodes").as_array())
    targets.push_back(node.get_string("target"));
  EXPECT_THAT(targets,
              ::testing::IsSupersetOf({"bard:source", "bard:Q8_0", "bard:card", "bard:publish"}));
}

TEST(Graph, OfATargetIsWhatItNeeds) {
  const Project project;
  prepare(project);
  const std::string dot = out_of(project, {"graph", "bard:Q8_0"});
  EXPECT_THAT(dot, AllOf(HasSubstr("bard:source"), HasSubstr("bard:Q8_0")));
  EXPECT_THAT(dot, AllOf(Not(HasSubstr("card")), Not(HasSubstr("quality"))));
}

TEST(Check, CountsWhatIsRightAndWritesNoResult) {
  const Project project;
  prepare(project);
  EXPECT_EQ(out_of(project, {"check"}), "1 model, 1 variant: no errors\n");
  EXPECT_EQ(json_of(project, {"check"}).dump(), R"({"models":1,"variants":1})");
  EXPECT_FALSE(fs::exists(project.path("out")));
}

TEST(Check, ReportsAllErrorsAtOnceWithTheirPlaces) {
  const Project project;
  prepare(project);
  project.write(
      "qbuild.yaml",
      "version: 1\nmodels:\n  bard:\n    source: bard\n    quants: [Q4_K_X]\n    colour: red\n");
  const RunResult run = project.run({"check"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("qbuild.yaml:5:14: "));
  EXPECT_THAT(run.err, HasSubstr("qbuild.yaml:6:5: "));
}

TEST(Inspect, ShowsAGgufASafetensorsFileAndARecord) {
  const Project project;
  build(project);
  const std::string gguf = first_gguf(project).string();
  EXPECT_THAT(out_of(project, {"inspect", gguf}),
              AllOf(StartsWith("GGUF, "), HasSubstr("general.architecture"),
                    HasSubstr("token_embd.weight")));
  const Json json = json_of(project, {"inspect", gguf});
  EXPECT_EQ(json.get_string("kind"), "gguf");
  EXPECT_EQ(json.at("size").as_uint(), fs::file_size(gguf));

  const std::string weights = "bard/model.safetensors";
  EXPECT_THAT(out_of(project, {"inspect", weights}), StartsWith("safetensors, "));
  EXPECT_EQ(json_of(project, {"inspect", weights}).get_string("kind"), "safetensors");

  const Json path = json_of(project, {"store", "path", "bard:Q8_0"});
  const std::string record = path.get_string("record");
  EXPECT_THAT(
      out_of(project, {"inspect", record}),
      AllOf(StartsWith("record of quantize, made by qbuild "), HasSubstr("file model.gguf ")));
  EXPECT_EQ(json_of(project, {"inspect", record}).get_string("key"), path.get_string("key"));

  const RunResult other = project.run({"inspect", "qbuild.yaml"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("qbuild.yaml is no GGUF, safetensors or record file"));
}

TEST(Status, ListsTheRunsAndHowTheyEnded) {
  const Project project;
  prepare(project);
  EXPECT_EQ(out_of(project, {"status"}), "no runs yet\n");
  build(project);
  const std::string text = out_of(project, {"status"});
  EXPECT_THAT(text, ::testing::ContainsRegex("20[0-9-]+T[0-9:]+Z +up to date +[1-9]"));
  EXPECT_THAT(text, ::testing::ContainsRegex("bard:Q8_0 +ready"));
  std::istringstream lines(out_of(project, {"status", "--json"}));
  std::vector<std::string> events;
  for (std::string line; std::getline(lines, line);)
    events.push_back(Json::parse(line).get_string("event"));
  ASSERT_GE(events.size(), 3U);
  EXPECT_EQ(events.front(), "run_started");
  EXPECT_EQ(events.back(), "run_finished");
}

TEST(Log, IsTheOutputOfATargetsLastRun) {
  const Project project;
  project.add_model("bard");
  project.write("tool.sh", "echo the tool is unhappy\nexit 1\n");
  project.write("qbuild.yaml", R"(version: 1
models:
  bard:
    source: bard
    quants:
      - {name: copy, method: command, run: [sh, tool.sh, "{out}"], outputs: ["*.gguf"], inputs: [tool.sh], tool: copy@1}
)");
  const RunResult before = project.run({"log", "bard:copy"});
  EXPECT_EQ(before.exit_code, 2);
  EXPECT_THAT(before.err, HasSubstr("bard:copy has not run in this project\n"));
  const RunResult unknown = project.run({"log", "bard:cpy"});
  EXPECT_THAT(unknown.err,
              HasSubstr("no target matches \"bard:cpy\"; did you mean \"bard:copy\"?"));
  EXPECT_EQ(project.run({"build"}).exit_code, 1);
  EXPECT_THAT(out_of(project, {"log", "bard:copy"}), HasSubstr("the tool is unhappy\n"));
  EXPECT_THAT(out_of(project, {"status"}), AllOf(HasSubstr("failed"), HasSubstr("bard:copy")));
}

TEST(Store, SaysWhatItHoldsAndWhere) {
  const Project project;
  prepare(project);
  const RunResult early = project.run({"store", "path", "bard:Q8_0"});
  EXPECT_EQ(early.exit_code, 2);
  EXPECT_THAT(early.err, HasSubstr("bard:Q8_0 is not in the store; build it first"));
  build(project);
  EXPECT_THAT(out_of(project, {"store", "stats"}),
              AllOf(StartsWith(project.path("store").string()), HasSubstr("\nblobs "),
                    HasSubstr("\nrecords "), HasSubstr("\nunfinished "),
                    HasSubstr("\ndamaged, set aside ")));
  const Json stats = json_of(project, {"store", "stats"});
  EXPECT_GE(stats.at("blobs").as_int(), 1);
  EXPECT_GE(stats.at("records").as_int(), 2);
  EXPECT_EQ(stats.at("damaged_bytes").as_int(), 0);

  const Json path = json_of(project, {"store", "path", "bard:Q8_0"});
  const std::string blob = path.at("files").get_string("model.gguf");
  EXPECT_EQ(read_whole(blob), read_whole(first_gguf(project)));
  EXPECT_EQ(out_of(project, {"store", "path", "bard:Q8_0"}),
            path.get_string("record") + "\n" + blob + "  model.gguf\n");

  EXPECT_THAT(out_of(project, {"store", "verify"}), EndsWith(" records read, 0 damaged\n"));
  const RunResult many = project.run({"store", "path", "bard"});
  EXPECT_EQ(many.exit_code, 2);
  EXPECT_THAT(many.err, ::testing::ContainsRegex("\"bard\" stands for [0-9]+ targets; name one"));
}

void flip_a_byte(const fs::path& path) {
  std::string bytes = read_whole(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const fs::path beside = path.string() + ".flipped";
  std::ofstream(beside, std::ios::binary) << bytes;
  fs::rename(beside, path);
}

TEST(Store, ADamagedBlobIsNamedSetAsideAndMadeAgain) {
  const Project project;
  build(project);
  const auto before = project.digests("out");
  const std::string blob =
      json_of(project, {"store", "path", "bard:Q8_0"}).at("files").get_string("model.gguf");
  flip_a_byte(blob);

  const RunResult verify = project.run({"store", "verify"});
  EXPECT_EQ(verify.exit_code, 1);
  EXPECT_THAT(verify.err, HasSubstr("damaged: " + blob + ": "));
  EXPECT_THAT(verify.out, EndsWith(", 1 damaged\n"));
  EXPECT_FALSE(fs::exists(blob));
  EXPECT_GT(json_of(project, {"store", "stats"}).at("damaged_bytes").as_int(), 0);

  const RunResult again = project.run_json({"build"});
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_THAT(again.executed(), ElementsAre("bard:Q8_0"));
  EXPECT_TRUE(fs::exists(blob));
  EXPECT_EQ(project.digests("out"), before);
  const RunResult whole = project.run({"store", "verify", "--json"});
  EXPECT_EQ(whole.exit_code, 0) << whole.out;
  EXPECT_TRUE(Json::parse(whole.out).at("damages").as_array().empty());
}

TEST(CommandLine, GoesToTheFolderOfCFirst) {
  const Project project;
  prepare(project);
  fs::create_directories(project.path("there"));
  for (const char* name : {"bard", "qbuild.yaml", "text.txt"})
    fs::rename(project.path(name), project.path("there") / name);
  EXPECT_EQ(project.run({"check"}).exit_code, 2);
  EXPECT_THAT(out_of(project, {"-C", "there", "build"}),
              HasSubstr(project.path("there/out").string()));
  EXPECT_FALSE(project.digests("there/out").empty());
  const RunResult nowhere = project.run({"-C", "nowhere", "check"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("nowhere"));
}

TEST(CommandLine, TakesSeveralManifests) {
  const Project project;
  project.add_model("bard");
  project.write("a.yaml", "version: 1\nmodels:\n  bard: {source: bard, quants: [Q8_0]}\n");
  project.write("b.yaml", "version: 1\nmodels:\n  will: {source: bard, quants: [Q8_0, Q4_0]}\n");
  EXPECT_EQ(json_of(project, {"check", "-f", "a.yaml", "-f", "b.yaml"}).dump(),
            R"({"models":2,"variants":3})");
  const RunResult one = project.run_json({"build", "-f", "a.yaml", "-f", "b.yaml", "will:Q4_0"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_THAT(one.executed(), ElementsAre("will:Q4_0"));
}

TEST(CommandLine, WritesNoColoursIntoAPipe) {
  const Project project;
  prepare(project);
  const RunResult run = project.run({"build"}, {{"TERM", "xterm-256color"}});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out + run.err, Not(HasSubstr("\x1b")));
  const RunResult plain = project.run({"build"}, {{"TERM", "xterm-256color"}, {"NO_COLOR", "1"}});
  EXPECT_THAT(plain.out + plain.err, AllOf(HasSubstr("nothing to do"), Not(HasSubstr("\x1b"))));
}

TEST(CommandLine, AnswersAMistypedCommandWithTheNearest) {
  const Project project;
  prepare(project);
  const RunResult run = project.run({"chekc"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("no target matches \"chekc\"; qbuild plan lists them; there is a "
                                 "command \"check\""));
  EXPECT_THAT(project.run({"build", "chekc"}).err, Not(HasSubstr("there is a command")));
}

}  // namespace
}  // namespace qbuild::e2e
