#pragma once
// The lines that the plain and the live display share. What messages, logs and names hold of
// control characters is made visible here, so that nothing that a tool says moves the terminal's
// cursor.

#include <cstdint>
#include <string>
#include <vector>

#include "engine/progress.h"

namespace qbuild::engine {

// What is said of a finished action: nothing for what was reused or just ready.
//   "done    bard:Q4_K_M  1.2 s", "failed  bard:x  0.1 s: cause" with the log's last lines indented
//   below, "held    bard:gate: perplexity_ratio 1.045 is above 1.03", "skipped bard:card: needs
//   bard:x, which failed"
[[nodiscard]] std::vector<std::string> finished_lines(const ActionFinished& event, bool colour);
[[nodiscard]] std::string retried_line(const ActionRetried& event);

// "0.8 s", "12 s", "3 min 20 s", "2 h 5 min"
[[nodiscard]] std::string duration_text(double seconds);
// "512 B", "1.5 MB", "2.0 GB": powers of ten, as disks and the Hub count.
[[nodiscard]] std::string bytes_text(double bytes);
// "bytes" as bytes_text; other units by their name: "1234 tokens".
[[nodiscard]] std::string amount_text(double amount, const std::string& unit);

}  // namespace qbuild::engine
