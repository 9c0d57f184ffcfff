#include "formats/json_file.h"

#include <fmt/core.h>

#include "base/error.h"
#include "formats/safetensors.h"

namespace qbuild::formats {

namespace {

std::string read_text(FileSystem& file_system, const fs::path& path) {
  if (!file_system.stat(path))
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} has no {}", path.parent_path().string(), path.filename().string()));
  std::string text = read_file(file_system, path, limits_of_json_file(path).file_bytes);
  refuse_lfs_pointer(text, path);
  return text;
}

Json parse(std::string_view text, const fs::path& path) {
  return with_context(path.string(),
                      [&] { return Json::parse(text, limits_of_json_file(path).memory_bytes); });
}

}  // namespace

JsonFileLimits limits_of_json_file(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name == "tokenizer.json")
    return {.file_bytes = std::uint64_t{40} << 20U, .memory_bytes = std::uint64_t{136} << 20U};
  if (name == "tokenizer_config.json") return {.file_bytes = std::uint64_t{16} << 20U};
  return {};
}

Json read_json_file(FileSystem& file_system, const fs::path& path) {
  return parse(read_text(file_system, path), path);
}

HashedJson read_hashed_json(FileSystem& file_system, const fs::path& path) {
  const std::string text = read_text(file_system, path);
  return {.value = parse(text, path), .sha256 = sha256(text)};
}

}  // namespace qbuild::formats
