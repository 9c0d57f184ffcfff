#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <map>
#include <sstream>

#include "base/nearest_word.h"
#include "rules/rule_table.h"

namespace qbuild::cli {
namespace {

void add_common_options(CLI::App& app, Options& options) {
  app.add_option("-f,--file", options.manifests,
                 "manifest; may be given several times (default: qbuild.yaml)")
      ->allow_extra_args(false);
  app.add_option("-C", options.directory, "go to this folder first")->type_name("DIR");
  app.add_option("--store", options.store,
                 "where artifacts live (default: $QBUILD_STORE, else the user's cache)")
      ->type_name("DIR");
  app.add_option("--out", options.out,
                 "where results appear under your names (default: out beside the manifest)")
      ->type_name("DIR");
  app.add_option("-j", options.jobs, "actions at once, at most (default: what fits)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--threads", options.threads,
                 "threads of all actions together (default: the machine's)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--backend", options.backend,
                 "kernels to use: scalar, avx2 or avx512 (the bytes are the same)")
      ->check(CLI::IsMember({"scalar", "avx2", "avx512"}));
  app.add_flag("--json", options.json, "one JSON event a line, or JSON output");
  app.add_flag("-k,--keep-going", options.keep_going, "go on after failures (the default)");
  app.add_flag("--fail-fast", options.fail_fast, "start nothing new after the first failure");
}

void add_operands(CLI::App& command, const CommandInfo& info, Options& options) {
  switch (info.operands) {
    case Operands::kTargets:
      command.add_option("targets", options.operands, "names or patterns; none: all")
          ->type_name("TARGET");
      break;
    case Operands::kOneTarget:
      command.add_option("target", options.operands, "one target")
          ->type_name("TARGET")
          ->required()
          ->expected(1);
      break;
    case Operands::kOneFile:
      command.add_option("file", options.operands, "the file")
          ->type_name("FILE")
          ->required()
          ->expected(1);
      break;
    case Operands::kNone:
      break;
  }
}

// "look after the store: stats, verify, path"
std::string group_summary(std::string_view group) {
  std::string names;
  for (const CommandInfo& info : all_commands())
    if (info.group == group) names += (names.empty() ? "" : ", ") + std::string(info.name);
  return "look after the " + std::string(group) + ": " + names;
}

// "The following argument was not expected: --jsn", and which option may have been meant.
std::string unexpected_text(const CLI::App& app, std::string_view complaint) {
  std::vector<std::string> names;
  for (const CLI::Option* const option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  const std::vector<std::string_view> words(names.begin(), names.end());
  const auto space = complaint.rfind(' ');
  const std::string_view typed = complaint.substr(space == std::string_view::npos ? 0 : space + 1);
  return std::string(complaint) + did_you_mean(typed, words) +
         "\nRun with --help for more information.\n";
}

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
  ParsedCommandLine parsed;
  Options& options = parsed.options;
  CLI::App app{"qbuild: a build system for quantized language models", "qbuild"};
  app.set_version_flag("--version", std::string(rules::kToolVersion));
  app.footer(
      "Begin with a qbuild.yaml (examples/quickstart has one), then: qbuild check, qbuild plan, "
      "qbuild.");
  add_common_options(app, options);
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.add_option("targets", options.operands)->group("");

  std::map<std::string_view, CLI::App*> groups;
  for (const CommandInfo& info : all_commands()) {
    CLI::App* parent = &app;
    if (!info.group.empty()) {
      CLI::App*& group = groups[info.group];
      if (group == nullptr) {
        group = app.add_subcommand(std::string(info.group), group_summary(info.group));
        group->require_subcommand(1);
        group->fallthrough();
      }
      parent = group;
    }
    CLI::App* command = parent->add_subcommand(std::string(info.name), std::string(info.summary));
    command->fallthrough();
    command->footer(std::string(info.details));
    add_operands(*command, info, options);
    if (info.id == CommandId::kGraph)
      command->add_option("--format", options.graph_format, "dot, mermaid or json")
          ->check(CLI::IsMember({"dot", "mermaid", "json"}));
    command->callback([&options, id = info.id] { options.command = id; });
  }

  try {
    app.parse(argc, argv);
    options.bare = app.get_subcommands().empty();
  } catch (const CLI::ExtrasError& error) {
    parsed.exit_code = 2;
    parsed.text = unexpected_text(app, error.what());
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream complaint;
    const int code = app.exit(error, out, complaint);
    parsed.exit_code = code == 0 ? 0 : 2;
    parsed.text = code == 0 ? out.str() : complaint.str();
  }
  return parsed;
}

}  // namespace qbuild::cli
