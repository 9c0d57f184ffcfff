#pragma once
// The seam to whoever watches a run: events as values. Sinks: plain lines, a live terminal, JSON
// lines (docs/engine.md, versioned), and a recording one for tests.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "engine/report.h"

namespace qbuild::engine {

struct RunStarted {
  std::string run_id;
  std::size_t actions = 0;  // needed by the goals; how many of them run shows as it goes
};
struct ActionStarted {
  std::string target;
  std::string rule;
  Explanation why;
  int attempt = 1;
};
struct ActionProgress {
  std::string target;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: unknown
  std::string unit;         // "bytes", "tokens", ...
};
struct ActionLogged {
  std::string target;
  std::string line;
};
// It failed in a way that may go away, and is tried again.
struct ActionRetried {
  std::string target;
  std::string message;
  double wait_seconds = 0;
};
// Once per needed action and check; not for sources.
struct ActionFinished {
  std::string target;
  std::string rule;  // "check" for a check
  Status status = Status::kReady;
  bool executed = false;
  double seconds = 0;
  std::string reason;  // of held and skipped ones
  std::optional<Failure> failure;
};
// The last event of every run.
struct RunFinished {
  Counters counters;
  int exit_code = 0;
};

using Event = std::variant<RunStarted, ActionStarted, ActionProgress, ActionLogged, ActionRetried,
                           ActionFinished, RunFinished>;

// Version of the JSON events. History: 1 first.
inline constexpr int kEventVersion = 1;
// One object; RunStarted carries "version". Names: "started_run", "started", "progress", "log",
// "retry", "finished", "summary".
[[nodiscard]] Json to_json(const Event& event);

class Progress {
 public:
  virtual ~Progress() = default;
  // Called by one thread, the engine's loop.
  virtual void on(const Event& event) = 0;
  // Called now and then while actions run, so that a live display can move.
  virtual void tick() {}
};

// Where text goes; tests give a string.
using Print = std::function<void(std::string_view text)>;

struct DisplayStyle {
  bool colour = false;
  unsigned columns = 80;
  unsigned rows = 24;
};

// Watches nothing.
[[nodiscard]] std::unique_ptr<Progress> make_null_progress();
// One line per finished target that ran, failed or is held, and each retry; nothing for what was
// reused.
[[nodiscard]] std::unique_ptr<Progress> make_plain_progress(Print print);
// The same lines, and below them one line with bar, rate and time left per running action, as many
// as there is room for, redrawn at most ten times a second. `clock` must outlive it.
[[nodiscard]] std::unique_ptr<Progress> make_terminal_progress(Print print, Clock& clock,
                                                               DisplayStyle style);
// One event per line.
[[nodiscard]] std::unique_ptr<Progress> make_json_progress(Print print);

// Keeps every event.
class RecordingProgress final : public Progress {
 public:
  void on(const Event& event) override { events_.push_back(event); }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }

 private:
  std::vector<Event> events_;
};

}  // namespace qbuild::engine
