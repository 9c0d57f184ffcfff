#include "cli/command_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace qbuild::cli {
namespace {

using ::testing::ElementsAre;

std::string full_name(const CommandInfo& info) {
  return info.group.empty() ? std::string(info.name)
                            : std::string(info.group) + " " + std::string(info.name);
}

const CommandInfo& command(std::string_view name) {
  for (const CommandInfo& info : all_commands()) {
    if (full_name(info) == name) return info;
  }
  ADD_FAILURE() << "there is no command " << name;
  return all_commands().front();
}

TEST(CommandTable, ListsTheCommandsInTheOrderOfTheHelp) {
  std::vector<std::string> names;
  for (const CommandInfo& info : all_commands()) names.push_back(full_name(info));
  EXPECT_THAT(names, ElementsAre("build", "publish", "plan", "why", "check", "graph", "inspect",
                                 "status", "log", "store stats", "store verify", "store path"));
}

TEST(CommandTable, HasOneEntryForEachCommand) {
  std::set<CommandId> ids;
  for (const CommandInfo& info : all_commands()) {
    EXPECT_TRUE(ids.insert(info.id).second) << info.name;
  }
}

TEST(CommandTable, SaysInOneLineWhatEachCommandIsFor) {
  for (const CommandInfo& info : all_commands()) {
    EXPECT_FALSE(info.summary.empty()) << info.name;
    EXPECT_EQ(info.summary.find('\n'), std::string_view::npos) << info.name;
    EXPECT_FALSE(info.summary.ends_with('.')) << info.name;
    EXPECT_LE(info.summary.size(), 80U) << info.name;
  }
}

TEST(CommandTable, EndsDetailsInAFullStopAndFitsThemOnATerminal) {
  for (const CommandInfo& info : all_commands()) {
    if (info.details.empty()) continue;
    EXPECT_TRUE(info.details.ends_with('.')) << info.name;
    for (std::string_view rest = info.details; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      EXPECT_LE(end, 110U) << info.name;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

TEST(CommandTable, KnowsWhatEachCommandIsGiven) {
  for (const char* name : {"build", "publish", "plan", "graph"}) {
    EXPECT_EQ(command(name).operands, Operands::kTargets) << name;
  }
  for (const char* name : {"why", "log", "store path"}) {
    EXPECT_EQ(command(name).operands, Operands::kOneTarget) << name;
  }
  EXPECT_EQ(command("inspect").operands, Operands::kOneFile);
  for (const char* name : {"check", "status", "store stats", "store verify"}) {
    EXPECT_EQ(command(name).operands, Operands::kNone) << name;
  }
}

TEST(CommandTable, DocumentsEveryExitCodeOfABuild) {
  const std::string details(command("build").details);
  for (const char* code : {"0 all up to date", "1 a target failed", "2 bad usage or manifest",
                           "3 something is held", "130 interrupted"}) {
    EXPECT_THAT(details, ::testing::HasSubstr(code));
  }
}

}  // namespace
}  // namespace qbuild::cli
