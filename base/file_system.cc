#include "base/file_system.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "base/error.h"

namespace qbuild {

std::vector<std::optional<FileStat>> FileSystem::stat_each(std::span<const std::string> paths) {
  std::vector<std::optional<FileStat>> stats;
  stats.reserve(paths.size());
  for (const std::string& path : paths) stats.push_back(stat(path));
  return stats;
}

std::string read_file(FileSystem& file_system, const fs::path& path, std::uint64_t max_bytes) {
  const auto refuse = [&](std::uint64_t size) {
    throw Error(ErrorKind::kExhausted, fmt::format("read {}: {} bytes, more than the limit of {}",
                                                   path.string(), size, max_bytes));
  };
  const std::unique_ptr<ReadableFile> file = file_system.open(path);
  const std::uint64_t size = file->stat().size_bytes;
  if (size > max_bytes) refuse(size);
  // One byte more than the size shows the end, unless the file grows; kernel files say size 0.
  constexpr std::uint64_t kStepBytes = std::uint64_t{64} * 1024;
  std::string text;
  std::size_t filled = 0;
  std::uint64_t step = size + 1;
  while (true) {
    text.resize(filled + static_cast<std::size_t>(step));
    const std::size_t read =
        file->read_at(filled, std::as_writable_bytes(std::span<char>(text)).subspan(filled));
    filled += read;
    if (filled > max_bytes) refuse(filled);
    if (filled < text.size()) break;
    step = kStepBytes;
  }
  text.resize(filled);
  return text;
}

void read_exactly(const ReadableFile& file, std::uint64_t offset, MutableBytes out) {
  const std::size_t read = file.read_at(offset, out);
  if (read == out.size()) return;
  throw Error(ErrorKind::kCorrupt, fmt::format("the file ends at byte {}, {} were expected",
                                               offset + read, offset + out.size()));
}

void publish_file(FileSystem& file_system, const fs::path& path, Bytes bytes) {
  // What fails names a temporary beside it, which says little to whoever asked for the file.
  with_context(path.string(), [&] {
    AtomicFile file(file_system, path);
    file.file().append(bytes);
    file.commit();
  });
}

}  // namespace qbuild
