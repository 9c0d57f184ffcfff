#pragma once
// .qbuild/journal.jsonl: what happened in the last runs, one JSON object per line, each with the
// run's id:
//
//   {"run":ID,"at":"2026-11-25T15:04:05Z","event":"run_started","actions":n}
//   {"run":ID,"at":...,"event":"finished","target","rule","status","executed","seconds","reason","error"}
//   {"run":ID,"at":...,"event":"run_finished","exit_code":n,<counters>}
//
// A line is appended when the thing it says has happened, and flushed at most kMaxJournalDelayNs
// later, with its neighbours. What was reused leaves no line. At kMaxJournalBytes the file is
// renamed to journal.1.jsonl (the one before that goes) and begun anew.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/json.h"
#include "engine/progress.h"

namespace qbuild::engine {

inline constexpr std::uint64_t kMaxJournalBytes = 4u << 20;

inline constexpr std::int64_t kMaxJournalDelayNs = 50'000'000;

class Journal {
 public:
  // Both references must outlive it. Nothing is touched before the first note.
  Journal(FileSystem& files, Clock& clock, fs::path path, std::string run_id);
  // Writes down what concerns it; progress and log lines do not. A journal that cannot be written
  // is a warning, never a failure of the run.
  void note(const Event& event);
  // Flushes what has waited long enough; the run's last line is flushed with its note.
  void flush_if_due();
  // Until flush_if_due has something to do; nothing if no line waits.
  [[nodiscard]] std::optional<std::int64_t> ns_until_due() const;
  // Empty, or why it could not be written.
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  void append(Json line);
  void flush();
  void warn(const Error& error);

  FileSystem& files_;
  Clock& clock_;
  fs::path path_;
  std::string run_id_;
  std::unique_ptr<WritableFile> file_;
  std::optional<std::int64_t> waits_since_ns_;  // of the first line that is not flushed
  std::string warning_;
};

// The runs' lines, oldest first; a line that a crash cut short, or that is no JSON, is left out.
[[nodiscard]] std::vector<Json> read_journal(FileSystem& files, const fs::path& path);

// "20261125-150405-1a2b3c": sortable, unique enough between engines that start in one second.
[[nodiscard]] std::string make_run_id(Clock& clock);

}  // namespace qbuild::engine
