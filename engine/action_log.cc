#include "engine/action_log.h"

#include <fmt/core.h>

#include "base/error.h"

namespace qbuild::engine {

std::string bounded_line(std::string_view line) {
  if (line.size() <= kMaxLogLine) return std::string(line);
  return fmt::format("{}{}", line.substr(0, kMaxLogLine), kLineIsCut);
}

ActionLog::ActionLog(FileSystem& files, fs::path path) : files_(files), path_(std::move(path)) {
  try {
    files_.remove(path_);
  } catch (const Error& error) {
    warning_ = error.message();
  }
}

void ActionLog::append(std::string_view line) {
  std::string clean;
  for (const char c : bounded_line(line)) {
    const auto value = static_cast<unsigned char>(c);
    if (value >= 0x20 || c == '\t') clean += c;
  }
  if (warning_.empty() && !is_cut_) write(clean);
  tail_.push_back(std::move(clean));
  if (tail_.size() > kLogTailLines) tail_.pop_front();
}

void ActionLog::write(std::string_view line) {
  is_cut_ = written_bytes_ + line.size() > kMaxLogBytes;
  const std::string text = fmt::format("{}\n", is_cut_ ? kLogIsCut : line);
  try {
    if (!file_) {
      files_.create_directories(path_.parent_path());
      file_ = files_.create(path_, CreateMode::kTruncate);
    }
    file_->append(as_bytes(text));
    written_bytes_ += text.size();
  } catch (const Error& error) {
    warning_ = error.message();
  }
}

std::vector<std::string> ActionLog::tail() const {
  return {tail_.begin(), tail_.end()};
}

}  // namespace qbuild::engine
