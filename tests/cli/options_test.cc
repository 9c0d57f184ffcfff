#include "cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ParsedCommandLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "qbuild");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

Options options_of(std::vector<const char*> words) {
  ParsedCommandLine parsed = parse(std::move(words));
  EXPECT_FALSE(parsed.exit_code) << parsed.text;
  return parsed.options;
}

// The complaint about bad usage.
std::string complaint(std::vector<const char*> words) {
  const ParsedCommandLine parsed = parse(std::move(words));
  EXPECT_EQ(parsed.exit_code, 2);
  return parsed.text;
}

TEST(Options, OfABareCommandLineAreThoseOfABuildOfEverything) {
  const Options options = options_of({});
  EXPECT_EQ(options.command, CommandId::kBuild);
  EXPECT_TRUE(options.bare);
  EXPECT_THAT(options.operands, IsEmpty());
  EXPECT_THAT(options.manifests, IsEmpty());
  EXPECT_EQ(options.jobs, 0U);
  EXPECT_EQ(options.threads, 0U);
  EXPECT_EQ(options.backend, "");
  EXPECT_FALSE(options.json);
  EXPECT_TRUE(options.keep_going);
  EXPECT_FALSE(options.fail_fast);
}

TEST(Options, NameEveryCommandOfTheTable) {
  for (const CommandInfo& info : all_commands()) {
    std::vector<const char*> words;
    if (!info.group.empty()) words.push_back(info.group.data());
    words.push_back(info.name.data());
    if (info.operands == Operands::kOneTarget || info.operands == Operands::kOneFile) {
      words.push_back("x");
    }
    const Options options = options_of(words);
    EXPECT_EQ(options.command, info.id) << info.name;
    EXPECT_FALSE(options.bare) << info.name;
  }
}

TEST(Options, TakeTargetsWithAndWithoutTheWordBuild) {
  EXPECT_THAT(options_of({"bard", "*:Q4_0"}).operands, ElementsAre("bard", "*:Q4_0"));
  EXPECT_THAT(options_of({"build", "bard", "*:Q4_0"}).operands, ElementsAre("bard", "*:Q4_0"));
  EXPECT_THAT(options_of({"why", "bard:card"}).operands, ElementsAre("bard:card"));
  EXPECT_THAT(options_of({"inspect", "model.gguf"}).operands, ElementsAre("model.gguf"));
}

TEST(Options, AreTakenBeforeAndAfterTheCommand) {
  for (const auto& words : {std::vector<const char*>{"--json", "--store", "s", "-j", "3", "build"},
                            std::vector<const char*>{"build", "--json", "--store", "s", "-j3"}}) {
    const Options options = options_of(words);
    EXPECT_TRUE(options.json);
    EXPECT_EQ(options.store, "s");
    EXPECT_EQ(options.jobs, 3U);
  }
  EXPECT_TRUE(options_of({"store", "path", "bard", "--json"}).json);
}

TEST(Options, AreAllRead) {
  const Options options =
      options_of({"-C", "there", "--out", "results", "--threads", "2", "--backend", "scalar",
                  "--fail-fast", "-k", "graph", "--format", "mermaid"});
  EXPECT_EQ(options.directory, "there");
  EXPECT_EQ(options.out, "results");
  EXPECT_EQ(options.threads, 2U);
  EXPECT_EQ(options.backend, "scalar");
  EXPECT_TRUE(options.fail_fast);
  EXPECT_EQ(options.graph_format, "mermaid");
}

TEST(Options, TakeOneManifestForEachF) {
  EXPECT_THAT(options_of({"-f", "a.yaml", "--file", "b.yaml"}).manifests,
              ElementsAre("a.yaml", "b.yaml"));
  // What follows is a target, no second manifest.
  const Options options = options_of({"build", "-f", "a.yaml", "bard"});
  EXPECT_THAT(options.manifests, ElementsAre("a.yaml"));
  EXPECT_THAT(options.operands, ElementsAre("bard"));
}

TEST(Help, ListsCommandsAndOptionsAndHowToBegin) {
  const ParsedCommandLine help = parse({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.text, HasSubstr("qbuild: a build system for quantized language models"));
  for (const CommandInfo& info : all_commands()) {
    if (!info.group.empty()) continue;
    EXPECT_THAT(help.text, HasSubstr(std::string(info.summary)));
  }
  EXPECT_THAT(help.text, HasSubstr("look after the store: stats, verify, path"));
  EXPECT_THAT(help.text, HasSubstr("Begin with a qbuild.yaml (examples/quickstart has one), then: "
                                   "qbuild check, qbuild plan, qbuild."));
}

TEST(Help, OfACommandHasItsDetails) {
  for (const CommandInfo& info : all_commands()) {
    std::vector<const char*> words;
    if (!info.group.empty()) words.push_back(info.group.data());
    words.push_back(info.name.data());
    words.push_back("--help");
    const ParsedCommandLine help = parse(words);
    EXPECT_EQ(help.exit_code, 0) << info.name;
    EXPECT_THAT(help.text, HasSubstr(std::string(info.summary)));
    EXPECT_THAT(help.text, HasSubstr(std::string(info.details)));
  }
}

TEST(Help, VersionIsTheToolsOne) {
  const ParsedCommandLine version = parse({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.text, ::testing::MatchesRegex("qbuild [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(BadUsage, NamesTheWordThatIsWrong) {
  EXPECT_THAT(complaint({"--frobnicate"}),
              HasSubstr("The following argument was not expected: --frobnicate"));
  EXPECT_THAT(complaint({"--jsn"}), HasSubstr("not expected: --jsn; did you mean \"--json\"?"));
  EXPECT_THAT(complaint({"graph", "--format", "svg"}),
              HasSubstr("--format: svg not in {dot,mermaid,json}"));
  EXPECT_THAT(complaint({"--backend", "neon"}),
              HasSubstr("--backend: neon not in {scalar,avx2,avx512}"));
  EXPECT_THAT(complaint({"-j", "0"}), HasSubstr("-j: Value 0 not in range 1 to 1024"));
  EXPECT_THAT(complaint({"--threads", "many"}), HasSubstr("--threads"));
}

TEST(BadUsage, SaysWhatIsMissingOrTooMuch) {
  EXPECT_THAT(complaint({"why"}), HasSubstr("target is required"));
  EXPECT_THAT(complaint({"inspect"}), HasSubstr("file is required"));
  EXPECT_THAT(complaint({"store"}), HasSubstr("A subcommand is required"));
  EXPECT_THAT(complaint({"why", "a", "b"}), HasSubstr("At Most 1 required but received 2"));
}

TEST(BadUsage, PointsToTheHelp) {
  EXPECT_THAT(complaint({"why"}), HasSubstr("Run with --help for more information."));
}

}  // namespace
}  // namespace qbuild::cli
