#include "rules/tool_log.h"

#include <fmt/core.h>

#include <algorithm>

namespace qbuild::rules {

ToolLog::ToolLog(ChildProcess& child, engine::ActionContext& context)
    : child_(child), context_(context), thread_([this] {
        try {
          follow();
        } catch (...) {
          failure_ = std::current_exception();  // read after the thread was joined
        }
      }) {}

void ToolLog::finish() {
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
  if (left_out_bytes_ > 0) {
    flush();
    context_.log(fmt::format("[{} bytes of output are left out]", left_out_bytes_));
  }
  pass_on(tail_);
  flush();
}

void ToolLog::follow() {
  for (std::string piece = child_.read(kMaxLineBytes); !piece.empty();
       piece = child_.read(kMaxLineBytes))
    take(piece);
}

void ToolLog::take(std::string_view text) {
  const auto live =
      static_cast<std::size_t>(std::min<std::uint64_t>(text.size(), kMaxLiveBytes - live_bytes_));
  live_bytes_ += live;
  pass_on(text.substr(0, live));
  keep(text.substr(live));
}

void ToolLog::keep(std::string_view text) {
  tail_ += text;
  // Twice as much is kept, so that what is in front is not removed with every piece.
  if (tail_.size() <= 2 * kMaxTailBytes) return;
  left_out_bytes_ += tail_.size() - kMaxTailBytes;
  tail_.erase(0, tail_.size() - kMaxTailBytes);
}

void ToolLog::pass_on(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::size_t room = kMaxLineBytes - line_.size();
    line_ += text.substr(0, std::min(end, room));
    if (end > room) {
      flush();
      text.remove_prefix(room);
    } else if (end < text.size()) {
      context_.log(line_);
      line_.clear();
      text.remove_prefix(end + 1);
    } else {
      return;
    }
  }
}

void ToolLog::flush() {
  if (!line_.empty()) context_.log(line_);
  line_.clear();
}

}  // namespace qbuild::rules
