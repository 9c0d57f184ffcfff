#include "cli/command_table.h"

#include <array>

namespace qbuild::cli {
namespace {

constexpr std::array<CommandInfo, 12> kCommands{{
    {CommandId::kBuild, "", "build",
     "bring targets up to date: all of them, except publishing (the default)",
     "Runs only what is stale. Targets are names or patterns: bard, bard:Q4_K_M, '*:Q4_K_M', "
     "'*:benchmark'.\n"
     "Exit codes: 0 all up to date, 1 a target failed, 2 bad usage or manifest, 3 something is "
     "held,\n"
     "130 interrupted.",
     Operands::kTargets},
    {CommandId::kPublish, "", "publish", "the same, and upload what the targets' repositories lack",
     "Compares each repository with what should be there, uploads what is missing and makes one "
     "commit.\n"
     "A null publish asks the hub for the head of the branch and for nothing else.",
     Operands::kTargets},
    {CommandId::kPlan, "", "plan", "what would run, in which order, and why",
     "current: nothing to do; runs: will run; may run: runs if something above it changes its "
     "output.\n"
     "Nothing is built. Publishing is included.",
     Operands::kTargets},
    {CommandId::kWhy, "", "why", "why a target is stale, or why it is not",
     "Prints which labelled fields of the target's key changed, from what to what.",
     Operands::kOneTarget},
    {CommandId::kCheck, "", "check",
     "validate the manifest and everything that can be known without running",
     "All errors are reported at once, each as FILE:LINE:COLUMN: message.", Operands::kNone},
    {CommandId::kGraph, "", "graph", "the build graph as DOT, Mermaid or JSON", "",
     Operands::kTargets},
    {CommandId::kInspect, "", "inspect",
     "what a GGUF, safetensors, imatrix or record file contains", "", Operands::kOneFile},
    {CommandId::kStatus, "", "status", "the last runs, and how they ended", "", Operands::kNone},
    {CommandId::kLog, "", "log", "the output of a target's last run", "", Operands::kOneTarget},
    {CommandId::kStoreStats, "store", "stats", "how much the store holds", "", Operands::kNone},
    {CommandId::kStoreVerify, "store", "verify", "hash every blob and read every record",
     "Damaged files are moved aside, so that they are made again.", Operands::kNone},
    {CommandId::kStorePath, "store", "path", "where a target's files lie in the store", "",
     Operands::kOneTarget},
}};

}  // namespace

std::span<const CommandInfo> all_commands() {
  return kCommands;
}

}  // namespace qbuild::cli
