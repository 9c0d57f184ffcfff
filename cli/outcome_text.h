#pragma once
// What a run leaves to be read: a table of variants per model, where things are, what failed and
// why.

#include <string>

#include "cli/session.h"
#include "engine/report.h"

namespace qbuild::cli {

[[nodiscard]] std::string outcome_text(const rules::Lowered& lowered,
                                       const engine::RunReport& report, const fs::path& out);

}  // namespace qbuild::cli
