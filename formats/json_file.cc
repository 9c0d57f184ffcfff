#include "formats/json_file.h"

#include <fmt/core.h>

#include "base/error.h"
#include "formats/safetensors.h"

namespace qbuild::formats {

Json read_json_file(FileSystem& file_system, const fs::path& path) {
  if (!file_system.stat(path))
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} has no {}", path.parent_path().string(), path.filename().string()));
  const std::string text = read_file(file_system, path, kMaxJsonFileBytes);
  refuse_lfs_pointer(text, path);
  return with_context(path.string(), [&] { return Json::parse(text); });
}

}  // namespace qbuild::formats
