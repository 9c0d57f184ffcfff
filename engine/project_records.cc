#include "engine/project_records.h"

#include "base/error.h"

namespace qbuild::engine {

std::optional<cache::Record> read_project_record(FileSystem& files, const ProjectFiles& project,
                                                 std::string_view target) {
  const fs::path path = project.record(target);
  if (!files.stat(path)) return std::nullopt;
  try {
    return cache::parse_record(read_file(files, path, cache::kMaxRecordBytes));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt && error.kind() != ErrorKind::kExhausted) throw;
    return std::nullopt;
  }
}

void write_project_record(FileSystem& files, const ProjectFiles& project, std::string_view target,
                          const cache::Record& record) {
  publish_file(files, project.record(target), as_bytes(cache::serialize(record)));
}

}  // namespace qbuild::engine
