#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/nearest_word.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/outcome_text.h"
#include "cli/output.h"
#include "cli/remembered_outcome.h"
#include "engine/progress.h"
#include "rules/display.h"

namespace qbuild::cli {
namespace {

bool is_terminal() {
  const char* const term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

engine::DisplayStyle terminal_style() {
  engine::DisplayStyle style;
  const char* const no_color = std::getenv("NO_COLOR");
  style.colour = no_color == nullptr || *no_color == '\0';
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.columns = size.ws_col;
    style.rows = std::max<unsigned>(size.ws_row, 4);
  }
  return style;
}

std::unique_ptr<engine::Progress> make_progress(Session& session) {
  if (session.options().json) return engine::make_json_progress(print_text);
  if (is_terminal())
    return engine::make_terminal_progress(print_text, session.clock(), terminal_style());
  return engine::make_plain_progress(print_text);
}

double seconds_since(Session& session, std::int64_t started_ns) {
  return static_cast<double>(session.clock().monotonic_ns() - started_ns) * 1e-9;
}

// Nothing changed since a run that left everything up to date or held: says what it said.
int repeat(Session& session, const RememberedOutcome& outcome, int code, std::int64_t started_ns) {
  if (session.options().json) {
    for (const engine::Event& event : events_of(outcome, code, seconds_since(session, started_ns)))
      print("{}\n", engine::to_json(event).dump());
  } else {
    print("{}nothing to do\n", outcome.text);
  }
  return code;
}

// What the next run needs to find unchanged beyond the graph's own files.
std::vector<engine::Witness> all_witnesses(Session& session,
                                           std::vector<engine::Witness> witnesses) {
  for (const auto* const more : {&session.manifest_witnesses(), &session.lowered().witnesses})
    witnesses.insert(witnesses.end(), more->begin(), more->end());
  return witnesses;
}

std::string counters_line(const engine::Counters& counters) {
  std::string text = fmt::format("{} executed, {} reused", counters.executed, counters.reused);
  if (counters.failed > 0) text += fmt::format(", {} failed", counters.failed);
  if (counters.skipped > 0) text += fmt::format(", {} skipped", counters.skipped);
  if (counters.held > 0) text += fmt::format(", {} held", counters.held);
  return text + fmt::format(" in {}\n", rules::display_seconds(counters.seconds));
}

bool has_repositories(const rules::Lowered& lowered) {
  return std::any_of(lowered.models.begin(), lowered.models.end(),
                     [](const auto& model) { return !model.repositories.empty(); });
}

// A mistyped command word looks like a target that is not there; says which command may have been
// meant.
std::vector<engine::NodeId> goals_of(Session& session) {
  const bool publish = session.options().command == CommandId::kPublish;
  const rules::Lowered& lowered = session.lowered();
  try {
    return rules::select_goals(lowered, session.options().operands,
                               publish ? rules::WithPublish::kOfVariants : rules::WithPublish::kNo);
  } catch (const Error& error) {
    if (!session.options().bare) throw;
    std::vector<std::string_view> names;
    for (const CommandInfo& info : all_commands())
      names.push_back(info.group.empty() ? info.name : info.group);
    const std::string_view command = nearest_word(session.options().operands.front(), names);
    if (command.empty()) throw;
    throw Error(error.kind(),
                fmt::format("{}; there is a command \"{}\"", error.message(), command));
  }
}

}  // namespace

int run_build(Session& session) {
  const std::int64_t started_ns = session.clock().monotonic_ns();
  const std::string fingerprint = session.fingerprint();
  if (const auto unchanged = session.state().check_unchanged(fingerprint))
    if (const auto outcome = remembered_outcome(unchanged->text))
      return repeat(session, *outcome, unchanged->exit_code, started_ns);

  const rules::Lowered& lowered = session.lowered();
  const auto goals = goals_of(session);
  session.require_out();
  // Not before: while sources are hashed a signal simply ends the process, which loses nothing.
  const Interrupt interrupt;
  session.store().remove_abandoned_scratch();
  engine::Builder& builder = session.builder();
  const auto progress = make_progress(session);
  const engine::RunReport report = builder.run(lowered.graph, goals, *progress, interrupt.token());
  const int code = engine::exit_code(report);

  const std::string text = outcome_text(lowered, report, session.out());
  if (!session.options().json) print_text(text + counters_line(report.counters));
  std::vector<std::string> warnings = session.warnings();
  if (session.options().command == CommandId::kPublish && !has_repositories(lowered))
    warnings.emplace_back("nothing is published: no model has a publish section");
  warnings.insert(warnings.end(), report.warnings.begin(), report.warnings.end());
  if (report.witnesses)
    session.state().remember({.fingerprint = fingerprint,
                              .witnesses = all_witnesses(session, *report.witnesses),
                              .exit_code = code,
                              .text = to_text(outcome_to_remember(report, lowered.graph, text))});
  else
    session.state().forget(fingerprint);
  if (const std::string warning = session.state().save(session.stats()); !warning.empty())
    warnings.push_back(warning);
  for (const std::string& warning : warnings) print_error(fmt::format("warning: {}\n", warning));
  return code;
}

}  // namespace qbuild::cli
