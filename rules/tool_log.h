#pragma once
// Passes a tool's output on to its action's log, line by line, while the tool writes it. It comes
// through a pipe and is written nowhere else, so a tool that never stops writing fills no disk.
//
//   ToolLog log(*child, context);   // a thread reads from now on
//   child->wait();
//   log.finish();                   // the rest of it
//
// Of very long output the beginning and the end are passed on; what is left out is said.

#include <exception>
#include <string>
#include <string_view>
#include <thread>

#include "base/subprocess.h"
#include "engine/rule.h"

namespace qbuild::rules {

class ToolLog {
 public:
  static constexpr std::uint64_t kMaxLiveBytes = 1u << 20;
  static constexpr std::size_t kMaxTailBytes = 1u << 19;
  // A longer line is passed on in pieces.
  static constexpr std::size_t kMaxLineBytes = 1u << 13;

  // Both must outlive this; nobody else reads from the child.
  ToolLog(ChildProcess& child, engine::ActionContext& context);
  // Ends when the child's output does. Without finish(), what was not passed on so far is not.
  ~ToolLog() = default;
  ToolLog(const ToolLog&) = delete;
  ToolLog& operator=(const ToolLog&) = delete;

  // Once, when the child was waited for. Throws what reading has thrown.
  void finish();

 private:
  void follow();
  void take(std::string_view text);
  void keep(std::string_view text);
  void pass_on(std::string_view text);
  void flush();

  ChildProcess& child_;
  engine::ActionContext& context_;
  std::uint64_t live_bytes_ = 0;
  std::string line_;  // without its end so far
  std::string tail_;  // what came behind the first kMaxLiveBytes
  std::uint64_t left_out_bytes_ = 0;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it uses all of the above until it is joined
};

}  // namespace qbuild::rules
