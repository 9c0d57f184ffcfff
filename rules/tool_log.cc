#include "rules/tool_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace qbuild::rules {

ToolLog::ToolLog(FileSystem& files, const fs::path& path, engine::ActionContext& context)
    : files_(files), path_(path), context_(context), thread_([this](const std::stop_token& stop) {
        try {
          follow(stop);
        } catch (...) {
          failure_ = std::current_exception();  // read after the thread was joined
        }
      }) {}

void ToolLog::finish() {
  thread_.request_stop();
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
  open();
  if (file_ == nullptr) return;
  const std::uint64_t size = file_->stat().size_bytes;
  if (size > seen_ + kMaxTailBytes) {
    flush();
    const std::uint64_t left_out = size - kMaxTailBytes - seen_;
    context_.log(fmt::format("[{} bytes of output are left out]", left_out));
    seen_ += left_out;
  }
  pass_on(size);
  flush();
}

void ToolLog::follow(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    (void)never.wait_for(lock, stop, kInterval, [] { return false; });
    open();
    if (file_ != nullptr) pass_on(std::min(file_->stat().size_bytes, kMaxLiveBytes));
  }
}

void ToolLog::open() {
  if (file_ == nullptr && files_.stat(path_)) file_ = files_.open(path_);
}

void ToolLog::pass_on(std::uint64_t end) {
  std::string piece;
  while (seen_ < end) {
    piece.resize(std::min<std::uint64_t>(end - seen_, kMaxLineBytes));
    piece.resize(file_->read_at(seen_, std::as_writable_bytes(std::span(piece))));
    if (piece.empty()) return;
    seen_ += piece.size();
    line_ += piece;
    pass_on_lines();
  }
}

void ToolLog::pass_on_lines() {
  std::size_t from = 0;
  for (auto at = line_.find('\n'); at != std::string::npos; at = line_.find('\n', from)) {
    context_.log(std::string_view(line_).substr(from, at - from));
    from = at + 1;
  }
  line_.erase(0, from);
  if (line_.size() >= kMaxLineBytes) flush();
}

void ToolLog::flush() {
  if (!line_.empty()) context_.log(line_);
  line_.clear();
}

}  // namespace qbuild::rules
