#pragma once
// Records of actions with an effect on the world (Caching::kProject), one per target, in
// .qbuild/records/: what the last such action made. Readable by rules that want to know it.

#include <optional>
#include <string_view>

#include "base/file_system.h"
#include "cache/record.h"
#include "engine/project_files.h"

namespace qbuild::engine {

// Nothing if there is none, or if it is damaged: then the action runs again.
[[nodiscard]] std::optional<cache::Record> read_project_record(FileSystem& files,
                                                               const ProjectFiles& project,
                                                               std::string_view target);
void write_project_record(FileSystem& files, const ProjectFiles& project, std::string_view target,
                          const cache::Record& record);

}  // namespace qbuild::engine
