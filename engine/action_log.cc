#include "engine/action_log.h"

#include "base/error.h"

namespace qbuild::engine {

ActionLog::ActionLog(FileSystem& files, fs::path path) : files_(files), path_(std::move(path)) {
  try {
    files_.remove(path_);
  } catch (const Error&) {
    is_off_ = true;
  }
}

void ActionLog::append(std::string_view line) {
  std::string clean;
  for (const char c : line) {
    const auto value = static_cast<unsigned char>(c);
    if (value >= 0x20 || c == '\t') clean += c;
  }
  if (!is_off_) write(clean + "\n");
  tail_.push_back(std::move(clean));
  if (tail_.size() > kLogTailLines) tail_.pop_front();
}

void ActionLog::write(std::string_view text) {
  try {
    if (!file_) {
      files_.create_directories(path_.parent_path());
      file_ = files_.create(path_, CreateMode::kTruncate);
    }
    if (written_bytes_ + text.size() > kMaxLogBytes) {
      text = "[the log is cut here: it reached its largest size]\n";
      is_off_ = true;
    }
    file_->append(as_bytes(text));
    written_bytes_ += text.size();
  } catch (const Error&) {
    is_off_ = true;
  }
}

std::vector<std::string> ActionLog::tail() const {
  return {tail_.begin(), tail_.end()};
}

}  // namespace qbuild::engine
