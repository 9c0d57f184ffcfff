// qbuild: the program that plans and schedules. Heavy work happens in qbuild-worker beside it.

#include <cstdio>
#include <exception>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/error_events.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/process.h"

namespace {

using qbuild::cli::CommandId;
using qbuild::cli::Session;

int run(Session& session) {
  switch (session.options().command) {
    case CommandId::kBuild:
    case CommandId::kPublish:
      return run_build(session);
    case CommandId::kPlan:
      return run_plan(session);
    case CommandId::kWhy:
      return run_why(session);
    case CommandId::kCheck:
      return run_check(session);
    case CommandId::kGraph:
      return run_graph(session);
    case CommandId::kInspect:
      return run_inspect(session);
    case CommandId::kStatus:
      return run_status(session);
    case CommandId::kLog:
      return run_log(session);
    case CommandId::kStoreStats:
      return run_store_stats(session);
    case CommandId::kStoreVerify:
      return run_store_verify(session);
    case CommandId::kStorePath:
      return run_store_path(session);
  }
  return 2;
}

}  // namespace

constexpr int kBadUsage = 2;

int main(int argc, char** argv) {
  bool json = false;
  try {
    qbuild::cli::prepare_process();
    const auto parsed = qbuild::cli::parse_command_line(argc, argv);
    if (parsed.exit_code) {
      std::fputs(parsed.text.c_str(), *parsed.exit_code == 0 ? stdout : stderr);
      return qbuild::cli::finish_output(*parsed.exit_code);
    }
    json = parsed.options.json;
    Session session(parsed.options);
    return qbuild::cli::finish_output(run(session));
  } catch (const qbuild::Error& error) {
    qbuild::cli::print_error(error.message() + "\n");
    if (json) qbuild::cli::print_text(qbuild::cli::error_events(error, kBadUsage));
  } catch (const std::exception& error) {
    qbuild::cli::print_error(std::string("internal error: ") + error.what() + "\n");
  }
  return kBadUsage;
}
