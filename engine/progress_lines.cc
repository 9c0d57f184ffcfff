#include "engine/progress_lines.h"

#include <fmt/core.h>

#include <array>
#include <cmath>

#include "base/text.h"

namespace qbuild::engine {
namespace {

// ECMA-48 "select graphic rendition".
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string word(std::string_view text, std::string_view sequence, bool colour) {
  const std::string padded = fmt::format("{:<8}", text);
  return colour ? fmt::format("{}{}{}", sequence, padded, kPlain) : padded;
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string bytes_text(double bytes) {
  if (bytes < 1000) return fmt::format("{:.0f} B", bytes);
  constexpr std::array<std::string_view, 5> kUnits{"kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  bytes /= 1000;
  while (bytes >= 999.95 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string amount_text(double amount, const std::string& unit) {
  if (unit == "bytes") return bytes_text(amount);
  const std::string number = amount < 10 && amount != std::floor(amount)
                                 ? fmt::format("{:.1f}", amount)
                                 : fmt::format("{:.0f}", amount);
  return unit.empty() ? number : fmt::format("{} {}", number, unit);
}

std::vector<std::string> finished_lines(const ActionFinished& event, bool colour) {
  const std::string target = visible(event.target);
  std::vector<std::string> lines;
  switch (event.status) {
    case Status::kReady:
      if (event.executed) {
        lines.push_back(fmt::format("{}{}  {}", word("done", kGreen, colour), target,
                                    duration_text(event.seconds)));
      }
      return lines;
    case Status::kHeld:
      lines.push_back(
          fmt::format("{}{}: {}", word("held", kYellow, colour), target, visible(event.reason)));
      return lines;
    case Status::kSkipped:
      lines.push_back(
          fmt::format("{}{}: {}", word("skipped", kYellow, colour), target, visible(event.reason)));
      return lines;
    case Status::kFailed:
      break;
  }
  lines.push_back(fmt::format("{}{}  {}: {}", word("failed", kRed, colour), target,
                              duration_text(event.seconds),
                              visible(event.failure ? event.failure->message : event.reason)));
  if (event.failure) {
    for (const std::string& line : event.failure->log_tail) {
      lines.push_back("        | " + visible(line));
    }
  }
  return lines;
}

std::string retried_line(const ActionRetried& event) {
  return fmt::format("{:<8}{} in {}: {}", "again", visible(event.target),
                     duration_text(event.wait_seconds), visible(event.message));
}

}  // namespace qbuild::engine
