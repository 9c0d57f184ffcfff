#pragma once
// Passes a tool's output on to its action's log, line by line, while the tool writes it to a file.
//
//   ToolLog log(files, path, context);   // a thread looks at the file from now on
//   ... the tool runs and ends ...
//   log.finish();                        // the rest of it
//
// Of very long output the beginning and the end are passed on; what is left out is said.

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>

#include "base/file_system.h"
#include "engine/rule.h"

namespace qbuild::rules {

class ToolLog {
 public:
  static constexpr std::uint64_t kMaxLiveBytes = 1u << 20;
  static constexpr std::uint64_t kMaxTailBytes = 1u << 19;
  // A longer line is passed on in pieces.
  static constexpr std::size_t kMaxLineBytes = 1u << 16;
  static constexpr auto kInterval = std::chrono::milliseconds(200);

  // The file may come later. All three must outlive this.
  ToolLog(FileSystem& files, const fs::path& path, engine::ActionContext& context);
  // Without finish(), what was not passed on so far is not.
  ~ToolLog() = default;
  ToolLog(const ToolLog&) = delete;
  ToolLog& operator=(const ToolLog&) = delete;

  // Once, when nothing writes to the file any more. Throws what reading it has thrown.
  void finish();

 private:
  void follow(const std::stop_token& stop);
  void open();
  void pass_on(std::uint64_t end);
  void pass_on_lines();
  void flush();

  FileSystem& files_;
  const fs::path& path_;
  engine::ActionContext& context_;
  std::unique_ptr<ReadableFile> file_;
  std::uint64_t seen_ = 0;
  std::string line_;  // without its end so far
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it uses all of the above until it is joined
};

}  // namespace qbuild::rules
