#pragma once
// The command line, parsed. CLI11 stays behind options.cc.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_table.h"

namespace qbuild::cli {

struct Options {
  CommandId command = CommandId::kBuild;
  std::vector<std::string> operands;             // targets, or the file of `inspect`
  std::vector<std::filesystem::path> manifests;  // -f; empty: qbuild.yaml
  std::filesystem::path directory;               // -C; empty: here
  std::filesystem::path store;                   // empty: $QBUILD_STORE or the cache folder
  std::filesystem::path out;                     // empty: out beside the manifest
  unsigned jobs = 0;                             // 0: as many as fit
  unsigned threads = 0;                          // 0: the machine's
  std::string backend;                           // empty: the best that the machine has
  std::string graph_format = "dot";
  bool bare = false;  // no command word was given: an operand may be a mistyped one
  bool json = false;
  bool keep_going = true;
  bool fail_fast = false;
};

struct ParsedCommandLine {
  Options options;
  // Set when there is nothing to run: --help, --version, or bad usage.
  std::optional<int> exit_code;
  std::string text;  // to print: help on stdout with exit code 0, the complaint on stderr with 2
};

[[nodiscard]] ParsedCommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace qbuild::cli
