#pragma once
// The output of one action: a file in .qbuild/logs/, begun anew by each run of the target, and its
// last lines at hand for a failure's report.

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "engine/report.h"

namespace qbuild::engine {

// Beyond it a log is cut, and says so.
inline constexpr std::uint64_t kMaxLogBytes = 4u << 20;
// The line that says so.
inline constexpr std::string_view kLogIsCut = "[the log is cut here: it reached its largest size]";
// A longer line is cut, and says so.
inline constexpr std::size_t kMaxLogLine = 8u << 10;
// What stands at its end then.
inline constexpr std::string_view kLineIsCut = " [cut]";
// The line as logs keep it.
[[nodiscard]] std::string bounded_line(std::string_view line);

class ActionLog {
 public:
  // Nothing is written before the first line, except that an older log is removed. A log that
  // cannot be written is not worth failing an action for: its lines are then only kept for tail(),
  // and warning() says why.
  ActionLog(FileSystem& files, fs::path path);
  // Control characters other than tabs are dropped: a log is read on terminals.
  void append(std::string_view line);
  // At most kLogTailLines.
  [[nodiscard]] std::vector<std::string> tail() const;
  // It has reached its largest size: later lines are only kept for tail().
  [[nodiscard]] bool is_cut() const { return is_cut_; }
  // Empty, or why it could not be written.
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  void write(std::string_view line);

  FileSystem& files_;
  fs::path path_;
  std::unique_ptr<WritableFile> file_;
  std::uint64_t written_bytes_ = 0;
  bool is_cut_ = false;
  std::string warning_;
  std::deque<std::string> tail_;
};

}  // namespace qbuild::engine
