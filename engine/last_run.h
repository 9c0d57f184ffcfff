#pragma once
// .qbuild/last/HASH.json: what is remembered of a target's last run, for explanations only:
//
//   {"version":1,"target":T,"outcome":"ok","key_text":TEXT}
//   {"version":1,"target":T,"outcome":"failed","key_text":TEXT,"message":CAUSE}
//
// Losing it loses an explanation, so it is written without flushing; damaged, it counts as absent.

#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "engine/project_files.h"

namespace qbuild::engine {

struct LastRun {
  bool failed = false;
  std::string key_text;
  std::string message;  // of a failure
  bool operator==(const LastRun&) const = default;
};

// Larger ones are not ours.
inline constexpr std::uint64_t kMaxLastRunBytes = 16u << 20;

[[nodiscard]] std::optional<LastRun> read_last_run(FileSystem& files, const ProjectFiles& project,
                                                   std::string_view target);
// Throws Error, and leaves the file as it was and nothing beside it.
void write_last_run(FileSystem& files, const ProjectFiles& project, std::string_view target,
                    const LastRun& last);

}  // namespace qbuild::engine
