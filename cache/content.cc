#include "cache/content.h"

#include <fmt/core.h>

#include <cstddef>
#include <limits>
#include <memory>

#include "base/error.h"

namespace qbuild::cache {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::uint64_t kWhole = std::numeric_limits<std::uint64_t>::max();

// Reads all of the file, or to the first piece beyond `most_bytes`, giving each to `sink` and to
// the hash.
template <typename Sink>
Content read_through(const ReadableFile& file, std::uint64_t most_bytes, Sink&& sink) {
  std::vector<std::byte> buffer(kBufferBytes);
  Sha256 hash;
  Content content;
  while (content.size_bytes <= most_bytes) {
    const std::size_t got = file.read_at(content.size_bytes, buffer);
    if (got == 0) break;
    const Bytes piece(buffer.data(), got);
    hash.update(piece);
    sink(piece);
    content.size_bytes += got;
  }
  content.sha256 = hash.finish();
  return content;
}

}  // namespace

Content hash_file(FileSystem& file_system, const fs::path& path, const ProgressFn& progress) {
  return read_through(*file_system.open(path), kWhole, [&](Bytes piece) {
    if (progress) progress(piece.size());
  });
}

std::optional<Content> hash_unchanged_file(FileSystem& file_system, const fs::path& path) {
  const std::unique_ptr<ReadableFile> file = file_system.open(path);
  const FileStat before = file->stat();
  const Content content = read_through(*file, before.size_bytes, [](Bytes /*piece*/) {});
  if (file->stat() != before || content.size_bytes != before.size_bytes) return std::nullopt;
  return content;
}

Content copy_file(FileSystem& file_system, const fs::path& from, const fs::path& to,
                  std::uint64_t size_bytes) {
  const std::string what = fmt::format("copy {} to {}", from.string(), to.string());
  const std::uint64_t free = file_system.free_bytes(to.parent_path());
  if (free < size_bytes)
    throw Error(ErrorKind::kExhausted,
                fmt::format("{}: it needs {} bytes, {} are free", what, size_bytes, free));
  return with_context(fmt::format("{} ({} bytes)", what, size_bytes), [&] {
    const std::unique_ptr<WritableFile> copy = file_system.create(to, CreateMode::kExclusive);
    const Content content =
        read_through(*file_system.open(from), kWhole, [&](Bytes piece) { copy->append(piece); });
    copy->flush();
    copy->close();
    return content;
  });
}

void flush_file(FileSystem& file_system, const fs::path& path) {
  // Appending nothing is how a file that others wrote is flushed.
  const std::unique_ptr<WritableFile> file = file_system.create(path, CreateMode::kAppend);
  file->flush();
  file->close();
}

void ensure_folder(FileSystem& file_system, const fs::path& folder) {
  if (folder.empty() || file_system.stat(folder)) return;
  file_system.create_directories(folder);
  if (folder.has_parent_path()) file_system.flush_directory(folder.parent_path());
}

std::vector<std::string> list_if_there(FileSystem& file_system, const fs::path& folder) {
  if (!file_system.stat(folder)) return {};
  return file_system.list(folder);
}

}  // namespace qbuild::cache
