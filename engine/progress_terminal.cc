// The live area of a terminal: finished lines scroll away above it, and one line per running action
// below is drawn over. Only "up", "to column 1" and "erase below" of ECMA-48 are used, which every
// terminal knows.

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "engine/progress.h"
#include "engine/progress_lines.h"

namespace qbuild::engine {
namespace {

constexpr std::int64_t kRedrawNs = 100'000'000;
constexpr std::size_t kBarCells = 20;
// A live area larger than the screen could not be drawn over.
constexpr unsigned kRowsKept = 2;

// Cuts by code points, so that a line never wraps; wide characters are not told apart, which at
// worst cuts too late by a few cells in names that nobody's models have.
std::string cut(const std::string& line, std::size_t columns) {
  std::size_t cells = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins_character = (static_cast<unsigned char>(line[i]) & 0xc0u) != 0x80u;
    if (begins_character && ++cells > columns) return line.substr(0, i);
  }
  return line;
}

struct Running {
  std::string target;
  std::int64_t begin_ns = 0;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string unit{};
};

std::string bar(double share) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarCells));
  return "[" + std::string(full, '#') + std::string(kBarCells - full, '.') + "]";
}

std::string running_line(const Running& running, std::int64_t now_ns) {
  const double seconds = static_cast<double>(now_ns - running.begin_ns) * 1e-9;
  std::string line = fmt::format("{:<8}{}  ", "running", running.target);
  if (running.total == 0) {
    if (running.done > 0)
      line += amount_text(static_cast<double>(running.done), running.unit) + "  ";
    return line + duration_text(seconds);
  }
  const double share =
      std::min(1.0, static_cast<double>(running.done) / static_cast<double>(running.total));
  line += fmt::format("{} {:3.0f} %", bar(share), share * 100);
  if (running.done == 0 || seconds <= 0) return line;
  const double rate = static_cast<double>(running.done) / seconds;
  line += fmt::format("  {}/s", amount_text(rate, running.unit));
  const double left = static_cast<double>(running.total - std::min(running.done, running.total));
  return line + fmt::format("  {} left", duration_text(left / rate));
}

class TerminalProgress final : public Progress {
 public:
  TerminalProgress(Print print, Clock& clock, DisplayStyle style)
      : print_(std::move(print)), clock_(clock), style_(style) {}

  ~TerminalProgress() override {
    if (drawn_ > 0) print_(erase());
  }
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  void on(const Event& event) override {
    std::vector<std::string> lines;
    if (const auto* started = std::get_if<ActionStarted>(&event)) {
      running_.push_back({.target = started->target, .begin_ns = clock_.monotonic_ns()});
    } else if (const auto* progress = std::get_if<ActionProgress>(&event)) {
      note(*progress);
    } else if (const auto* retried = std::get_if<ActionRetried>(&event)) {
      forget(retried->target);
      lines.push_back(retried_line(*retried));
    } else if (const auto* finished = std::get_if<ActionFinished>(&event)) {
      forget(finished->target);
      lines = finished_lines(*finished, style_.colour);
    } else if (std::holds_alternative<RunFinished>(event)) {
      running_.clear();
      if (drawn_ > 0) print_(erase());
    }
    if (!lines.empty()) {
      draw(lines);
    } else {
      tick();
    }
  }

  void tick() override {
    if (clock_.monotonic_ns() - last_draw_ns_ >= kRedrawNs) draw({});
  }

 private:
  void note(const ActionProgress& progress) {
    for (Running& running : running_) {
      if (running.target != progress.target) continue;
      running.done = progress.done;
      running.total = progress.total;
      running.unit = progress.unit;
    }
  }

  void forget(const std::string& target) {
    std::erase_if(running_, [&](const Running& running) { return running.target == target; });
  }

  // To the first line of the live area, and everything from there on gone.
  [[nodiscard]] std::string erase() {
    std::string text = "\r";
    if (drawn_ > 0) text += fmt::format("\x1b[{}A", drawn_);
    drawn_ = 0;
    return text + "\x1b[J";
  }

  void draw(const std::vector<std::string>& lines) {
    const std::int64_t now_ns = clock_.monotonic_ns();
    std::string text = drawn_ > 0 ? erase() : "";
    for (const std::string& line : lines) text += line + "\n";
    const std::size_t room = style_.rows > kRowsKept ? style_.rows - kRowsKept : 1;
    const std::size_t shown = running_.size() <= room ? running_.size() : room - 1;
    for (std::size_t i = 0; i < shown; ++i) {
      text += cut(running_line(running_[i], now_ns), style_.columns) + "\n";
    }
    const bool are_all = shown == running_.size();
    if (!are_all) text += fmt::format("{:<8}{} more\n", "running", running_.size() - shown);
    drawn_ = are_all ? shown : shown + 1;
    last_draw_ns_ = now_ns;
    if (!text.empty()) print_(text);
  }

  Print print_;
  Clock& clock_;
  DisplayStyle style_;
  std::vector<Running> running_;
  std::size_t drawn_ = 0;  // lines of the live area on the screen
  std::int64_t last_draw_ns_ = 0;
};

}  // namespace

std::unique_ptr<Progress> make_terminal_progress(Print print, Clock& clock, DisplayStyle style) {
  return std::make_unique<TerminalProgress>(std::move(print), clock, style);
}

}  // namespace qbuild::engine
