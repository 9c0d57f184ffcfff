#pragma once
// The rule `command`: any other tool as a step.
//
// Parameters: run (the argument list), outputs (patterns of the files that it must write), tool
// (its identity, such as "my-tool@1.4"), environment (variables, nothing else but PATH, HOME, LANG
// and TMPDIR is passed on). Inputs: "source", one per declared input file, and the tool's own
// files: a program named with its folder, and arguments that are files beside the manifest.
// In arguments "{source}" is the source's folder, "{out}" an empty folder in which it writes; there
// are no others. Context: directory (where it runs: the manifest's folder), source (folder).
//
// It succeeds when the tool exits with 0 and wrote files such that each matches a declared pattern
// and each pattern matches a file (rules/tool_outputs.h). Whatever else it did is not the store's.
// What it printed goes to the log (rules/tool_log.h). When it ends, so does all that it started:
// its group, and what left the group, which is named in the log.

#include <memory>

#include "engine/rule.h"

namespace qbuild::rules {

[[nodiscard]] std::unique_ptr<engine::Rule> make_command_rule();

}  // namespace qbuild::rules
