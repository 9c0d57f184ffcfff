#pragma once
// What a run that left everything up to date, or held, said: the next run repeats it when nothing
// has changed. It is the text of the state file's snapshot,
// in the shapes of engine/binary.h: a null build has no time for JSON.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/graph.h"
#include "engine/progress.h"
#include "engine/report.h"

namespace qbuild::cli {

struct RememberedOutcome {
  std::string text;                          // for people
  std::uint64_t actions = 0;                 // needed by the goals
  std::uint64_t up_to_date = 0;              // of them
  std::vector<engine::ActionFinished> held;  // actions and checks, with their reasons
};

[[nodiscard]] RememberedOutcome outcome_to_remember(const engine::RunReport& report,
                                                    const engine::Graph& graph, std::string text);

[[nodiscard]] std::string to_text(const RememberedOutcome& outcome);
// Nothing for a text that to_text did not make.
[[nodiscard]] std::optional<RememberedOutcome> remembered_outcome(std::string_view text);

// The events of a run that finds it all unchanged.
[[nodiscard]] std::vector<engine::Event> events_of(const RememberedOutcome& outcome, int exit_code,
                                                   double seconds);

}  // namespace qbuild::cli
